"""Compiled passes over the rows of a rollout or minibatch; the torch code beside their callers says what they compute."""

import math

import numpy as np

from recurrent_rl.compiled.entry import compiled, row_loop
from recurrent_rl.compiled.task import flags, floats, integers, numbers, task


@task
def advantages(a):
    """Fill generalised advantages [T, B]; `a` holds T, B and the addresses of what `advantage_pass` takes, in its order."""
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
    """Fill log-probabilities of actions [R], entropies [R] and log-probabilities of all actions [R, A]."""
    rows, count = a[0], a[1]
    logits, actions, everything = floats(a[2], rows, count), integers(a[3], rows), floats(a[6], rows, count)
    log_probs, entropies = floats(a[4], 1, rows)[0], floats(a[5], 1, rows)[0]
    for i in range(rows):
        highest = logits[i].max()
        total = np.float32(0.0)
        for j in range(count):
            total += np.float32(math.exp(logits[i, j] - highest))
        log_total, entropy = np.float32(math.log(total)), np.float32(0.0)
        for j in range(count):
            log_prob = logits[i, j] - highest - log_total
            everything[i, j] = log_prob
            entropy -= np.float32(math.exp(log_prob)) * log_prob
        known = 0 <= actions[i] < count
        log_probs[i] = everything[i, actions[i]] if known else np.float32(np.nan)
        entropies[i] = entropy


@task
def categorical_backward(a):
    """Fill the gradient of logits [R, A] from those of the actions' log-probabilities and the entropies [R]."""
    rows, count = a[0], a[1]
    everything, actions, entropies = floats(a[2], rows, count), integers(a[3], rows), floats(a[4], 1, rows)[0]
    grad_log_probs, grad_entropies = floats(a[5], 1, rows)[0], floats(a[6], 1, rows)[0]
    gradient = floats(a[7], rows, count)
    for i in range(rows):
        for j in range(count):
            probability = np.float32(math.exp(everything[i, j]))
            chosen = np.float32(1.0) if actions[i] == j else np.float32(0.0)
            through_entropy = -probability * (everything[i, j] + entropies[i])
            gradient[i, j] = grad_log_probs[i] * (chosen - probability) + grad_entropies[i] * through_entropy


@task
def ppo(a):
    """Fill the seven figures of PPO's loss, and its gradients for values, log-probabilities and entropies [3, R]."""
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
        log_ratio = float(log_probs[i]) - float(old_log_probs[i])
        ratio, gain = math.exp(log_ratio), (float(advantage[i]) - mean) * scale
        change = math.expm1(log_ratio)
        bounded = min(max(ratio, 1.0 - clip), 1.0 + clip) * gain
        policy_sum += min(ratio * gain, bounded)
        if ratio * gain <= bounded:
            gradients[1, i] = -ratio * gain * share
        kl_sum += change - log_ratio
        clipped += 1.0 if abs(change) > clip else 0.0
        worst = abs(change) if not abs(change) <= worst else worst
        moved = float(values[i]) - float(old_values[i])
        kept = moved if clip_value < 0.0 else min(max(moved, -clip_value), clip_value)
        error = float(old_values[i]) + kept - float(returns[i])
        value_sum += error * error
        if clip_value < 0.0 or abs(moved) <= clip_value:
            gradients[0, i] = 2.0 * error * value_weight * share
        entropy_sum += float(entropies[i])
        gradients[2, i] = -entropy_weight * share
    policy_loss, entropy_loss, value_loss = -policy_sum * share, -entropy_sum * share, value_sum * share
    figures[0] = policy_loss + entropy_weight * entropy_loss + value_weight * value_loss
    figures[1], figures[2], figures[3] = policy_loss, value_loss, entropy_loss
    figures[4], figures[5], figures[6] = kl_sum * share, clipped * share, worst


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
