"""Compiled passes over the rows of a rollout or minibatch; the torch code beside their callers says what they compute."""

import math

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.rows import ONE
from recurrent_rl.compiled.task import flags, floats, integers, numbers, task
from recurrent_rl.functional.gaussian import HALF_LOG_TAU

STRIP = 256  # squares of so many numbers are summed side by side


@task
def advantages(a):
    """Fill generalised advantages [T, B]; `a` holds T, B and addresses, as read here."""
    steps, columns = a[0], a[1]
    rewards, values, final_values = (
        floats(a[2], steps, columns),
        floats(a[3], steps, columns),
        floats(a[5], steps, columns),
    )
    after, weights, result = floats(a[4], 1, columns)[0], numbers(a[8], 2), floats(a[9], steps, columns)
    terminated, truncated = flags(a[6], steps * columns), flags(a[7], steps * columns)
    carried = np.zeros(columns, np.float32)
    discount, decay = np.float32(weights[0]), np.float32(weights[0] * weights[1])
    for t in range(steps - 1, -1, -1):
        row = slice(t * columns, (t + 1) * columns)
        _advantage_row(
            result[t],
            rewards[t],
            values[t],
            after,
            final_values[t],
            terminated[row],
            truncated[row],
            carried,
            discount,
            decay,
        )
        after = values[t]


@row_loop
def _advantage_row(result, rewards, values, after, final, terminated, truncated, carried, discount, decay):
    for b in range(len(result)):
        bootstrap = final[b] if truncated[b] else after[b]
        if terminated[b]:
            bootstrap = np.float32(0.0)
        kept = np.float32(0.0) if terminated[b] or truncated[b] else carried[b]
        carried[b] = rewards[b] + discount * bootstrap - values[b] + decay * kept
        result[b] = carried[b]


@task
def categorical_forward(a):
    """Fill log-probabilities [R], entropies [R], probabilities [R, A] and each distribution's log sum exp [R, D]."""
    rows, outcomes, dimensions = a[0], a[1], a[2]
    logits, actions = floats(a[3], rows, outcomes), integers(a[4], rows * dimensions)
    counts = integers(a[5], dimensions)
    log_probs, entropies = floats(a[6], 1, rows)[0], floats(a[7], 1, rows)[0]
    probabilities, normalisers = floats(a[8], rows, outcomes), floats(a[9], rows, dimensions)
    for i in range(rows):
        first, log_prob, entropy = 0, np.float32(0.0), np.float32(0.0)
        for d in range(dimensions):
            last, action = first + counts[d], first + actions[i * dimensions + d]
            normaliser = _exponentials(logits[i], probabilities[i], first, last)
            normalisers[i, d] = normaliser
            for j in range(first, last):
                if probabilities[i, j] != 0.0:
                    entropy -= probabilities[i, j] * (logits[i, j] - normaliser)
            log_prob += logits[i, action] - normaliser if first <= action < last else np.float32(np.nan)
            first = last
        log_probs[i], entropies[i] = log_prob, entropy


@compiled
def _exponentials(logits, probabilities, first, last):
    """Fill the probabilities and return log sum exp of the logits."""
    highest, total = logits[first], np.float32(0.0)
    for j in range(first + 1, last):
        highest = max(highest, logits[j])
    for j in range(first, last):
        probabilities[j] = math.exp(logits[j] - highest)
        total += probabilities[j]
    share = ONE / total
    for j in range(first, last):
        probabilities[j] *= share
    return highest + math.log(total)


@task
def categorical_backward(a):
    """Fill the gradient of logits [R, A] from those of the log-probabilities and the entropies [R]."""
    rows, outcomes, dimensions = a[0], a[1], a[2]
    logits, actions = floats(a[3], rows, outcomes), integers(a[4], rows * dimensions)
    counts = integers(a[5], dimensions)
    probabilities, normalisers = floats(a[6], rows, outcomes), floats(a[7], rows, dimensions)
    grad_log_probs, grad_entropies = floats(a[8], 1, rows)[0], floats(a[9], 1, rows)[0]
    gradient = floats(a[10], rows, outcomes)
    for i in range(rows):
        first, through, through_entropy = 0, grad_log_probs[i], grad_entropies[i]
        for d in range(dimensions):
            count, normaliser, entropy = counts[d], normalisers[i, d], np.float32(0.0)
            for j in range(first, first + count):
                if probabilities[i, j] != 0.0:
                    entropy -= probabilities[i, j] * (logits[i, j] - normaliser)
            for j in range(first, first + count):
                probability = probabilities[i, j]
                gradient[i, j] = -probability * through
                if probability != 0.0:
                    gradient[i, j] -= through_entropy * probability * (logits[i, j] - normaliser + entropy)
            action = actions[i * dimensions + d]
            if 0 <= action < count:
                gradient[i, first + action] += through
            first += count


@task
def gaussian_forward(a):
    """Fill log-probabilities and entropies [R] of diagonal Gaussians with means [R, A] and log standard deviations [A]."""
    rows, size = a[0], a[1]
    means, log_std, actions = floats(a[2], rows, size), floats(a[3], 1, size)[0], floats(a[4], rows, size)
    log_probs, entropies, precision = floats(a[5], 1, rows)[0], floats(a[6], 1, rows)[0], _inverse(log_std)
    constant, entropy = 0.0, 0.0
    for j in range(size):
        constant -= log_std[j] + HALF_LOG_TAU
        entropy += log_std[j] + HALF_LOG_TAU + 0.5
    for i in range(rows):
        squares = 0.0
        for j in range(size):
            squares += ((actions[i, j] - means[i, j]) * precision[j]) ** 2
        log_probs[i], entropies[i] = constant - 0.5 * squares, entropy


@task
def gaussian_backward(a):
    """Fill the gradients of means [R, A] and log standard deviations [A] from those of the results [R]."""
    rows, size = a[0], a[1]
    means, log_std, actions = floats(a[2], rows, size), floats(a[3], 1, size)[0], floats(a[4], rows, size)
    grad_log_probs, grad_entropies = floats(a[5], 1, rows)[0], floats(a[6], 1, rows)[0]
    grad_means, grad_log_std, precision = floats(a[7], rows, size), floats(a[8], 1, size)[0], _inverse(log_std)
    sums = np.zeros(size)
    for i in range(rows):
        for j in range(size):
            z = (actions[i, j] - means[i, j]) * precision[j]
            grad_means[i, j] = grad_log_probs[i] * z * precision[j]
            sums[j] += grad_log_probs[i] * (z * z - 1.0) + grad_entropies[i]
    for j in range(size):
        grad_log_std[j] = sums[j]


@compiled
def _inverse(log_std):
    """Return 1 / standard deviation, in double precision."""
    precision = np.empty(len(log_std))
    for j in range(len(log_std)):
        precision[j] = math.exp(-float(log_std[j]))
    return precision


@task
def actor_critic(a):
    """Fill the seven figures of the loss, and its gradients for values, log-probabilities and entropies [3, R].

    Comparisons are written so that NaN comes through. A clip range below 0 stands for none.
    """
    rows = a[0]
    values, log_probs, entropies = floats(a[1], 1, rows)[0], floats(a[2], 1, rows)[0], floats(a[3], 1, rows)[0]
    old_log_probs, advantage = floats(a[4], 1, rows)[0], floats(a[5], 1, rows)[0]
    returns, old_values, valid = floats(a[6], 1, rows)[0], floats(a[7], 1, rows)[0], flags(a[8], rows)
    clip, clip_value, entropy_weight, value_weight, normalise = numbers(a[9], 5)
    figures, gradients = floats(a[10], 1, 7)[0], floats(a[11], 3, rows)
    count, mean, scale = _standard(advantage, valid, normalise != 0.0)
    share = 1.0 / max(count, 1)
    policy_sum, value_sum, entropy_sum, kl_sum, clipped, worst = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(rows):
        gradients[0, i], gradients[1, i], gradients[2, i] = 0.0, 0.0, 0.0
        if not valid[i]:
            continue
        log_ratio, gain = float(log_probs[i]) - float(old_log_probs[i]), (float(advantage[i]) - mean) * scale
        change = math.expm1(log_ratio)
        if clip < 0.0:
            objective, slope = gain * log_probs[i], gain
        else:
            objective, slope = _surrogate(change, gain, clip)
        policy_sum += objective
        gradients[1, i] = -slope * share
        kl_sum += change - log_ratio
        clipped += 1.0 if abs(change) > clip else 0.0
        if not abs(change) <= worst and not math.isnan(worst):
            worst = abs(change)
        moved = float(values[i]) - float(old_values[i])
        beyond = clip_value >= 0.0 and abs(moved) > clip_value
        kept = math.copysign(clip_value, moved) if beyond else moved
        error = float(old_values[i]) + kept - float(returns[i])
        value_sum += error * error
        if not beyond:
            gradients[0, i] = 2.0 * error * value_weight * share
        entropy_sum += float(entropies[i])
        gradients[2, i] = -entropy_weight * share
    policy_loss, entropy_loss, value_loss = -policy_sum * share, -entropy_sum * share, value_sum * share
    figures[0] = policy_loss + entropy_weight * entropy_loss + value_weight * value_loss
    figures[1], figures[2], figures[3] = policy_loss, value_loss, entropy_loss
    figures[4], figures[5], figures[6] = kl_sum * share, clipped * share, worst


@compiled
def _surrogate(change, gain, clip):
    """Return min(r A, clip(r) A) for the ratio r = 1 + change, and its derivative with respect to log r."""
    plain, bounded = (1.0 + change) * gain, (1.0 + change) * gain
    if change > clip:
        bounded = (1.0 + clip) * gain
    if change < -clip:
        bounded = (1.0 - clip) * gain
    return (bounded, 0.0) if bounded < plain else (plain, plain)


@compiled
def _standard(advantage, valid, wanted):
    """Return the number of valid rows, and what to subtract from advantages and multiply them by."""
    count, total = 0, 0.0
    for i in range(len(advantage)):
        if valid[i]:
            count += 1
            total += float(advantage[i])
    if not wanted or count < 2:
        return count, 0.0, 1.0
    mean, squares = total / count, 0.0
    for i in range(len(advantage)):
        if valid[i]:
            squares += (float(advantage[i]) - mean) ** 2
    return count, mean, 1.0 / (math.sqrt(squares / (count - 1)) + 1e-8)


@task
def clip(a):
    """Fill the norm of all gradients and scale them down to a limit; `a` holds their count and where everything is.

    The limit is a float64, the norm a float32; then come address and length of each gradient.
    """
    count, limit, norm = a[0], numbers(a[1], 1)[0], floats(a[2], 1, 1)[0]
    sums = np.zeros(STRIP, np.float64)
    for i in range(count):
        length = a[4 + 2 * i]
        gradient = floats(a[3 + 2 * i], 1, length)[0]
        for first in range(0, length, STRIP):
            _add_squares(gradient[first : min(first + STRIP, length)], sums)
    norm[0] = math.sqrt(sums.sum())
    scale = np.float32(limit / (norm[0] + 1e-6))
    if scale >= 1.0:
        return
    for i in range(count):  # also where it is NaN
        _multiply(floats(a[3 + 2 * i], 1, a[4 + 2 * i])[0], scale)


@row_loop
def _add_squares(row, sums):
    for u in range(len(row)):
        sums[u] += float(row[u]) * float(row[u])


@row_loop
def _multiply(row, scale):
    for u in range(len(row)):
        row[u] *= scale
