"""Compiled passes for `functional.glu`, which says what they compute; the torch code there is the oracle.

Tables hold the length H of a row, the first row and the one after the last, then addresses.
"""

import numpy as np

from recurrent_rl.compiled.decorators import only_for_tasks, row_loop
from recurrent_rl.compiled.exponential import sigmoid
from recurrent_rl.compiled.rows import ONE
from recurrent_rl.compiled.task import floats, task

# gelu(x) = x sigmoid(LINEAR x + CUBIC x^3), the same as with tanh
_LINEAR, _CUBIC = np.float32(2.0 * (2.0 / np.pi) ** 0.5), np.float32(2.0 * (2.0 / np.pi) ** 0.5 * 0.044715)
_THRICE_CUBIC = np.float32(3.0) * _CUBIC
_FLAT = np.float32(16.0)  # beyond, the logistic function is 0 or 1


@task
def gelu_forward(a):
    """Fill outputs; addresses: weight, values, inputs, outputs."""
    size, last = a[0], a[2]
    weight, values, inputs = floats(a[3], 1, size)[0], floats(a[4], last, size), floats(a[5], last, size)
    outputs = floats(a[6], last, size)
    for i in range(a[1], last):
        _gelu(outputs[i], values[i], weight, inputs[i])


@task
def gelu_backward(a):
    """Fill gradients; addresses: weight, its gradient [parts, H], then values, inputs, and the gradients of outputs,
    values and inputs; then the part's number.
    """
    size, last, part = a[0], a[2], a[10]
    weight, grad_weight = floats(a[3], 1, size)[0], floats(a[4], part + 1, size)[part]
    values, inputs, grad_outputs = floats(a[5], last, size), floats(a[6], last, size), floats(a[7], last, size)
    grad_values, grad_inputs = floats(a[8], last, size), floats(a[9], last, size)
    for i in range(a[1], last):
        _add_skip(grad_values[i], values[i], weight, inputs[i])
        _through_gelu(grad_values[i], grad_outputs[i])
        _multiply(grad_inputs[i], grad_values[i], weight)
        _add_product(grad_weight, grad_values[i], inputs[i])


@task
def gated_forward(a):
    """Fill outputs; addresses: values, logits, outputs."""
    size, last = a[0], a[2]
    values, logits, outputs = floats(a[3], last, size), floats(a[4], last, size), floats(a[5], last, size)
    for i in range(a[1], last):
        _gated(outputs[i], values[i], logits[i])


@task
def gated_backward(a):
    """Fill gradients; addresses: values, logits, and the gradients of outputs, values and logits."""
    size, last = a[0], a[2]
    values, logits, grad_outputs = floats(a[3], last, size), floats(a[4], last, size), floats(a[5], last, size)
    grad_values, grad_logits = floats(a[6], last, size), floats(a[7], last, size)
    for i in range(a[1], last):
        _through_gate(grad_values[i], grad_logits[i], grad_outputs[i], values[i], logits[i])


@only_for_tasks(inline="always")
def _logit(x):
    return x * (_LINEAR + _CUBIC * x * x)


@row_loop
def _gelu(outputs, values, weight, inputs):
    for u in range(len(outputs)):
        x = values[u] + weight[u] * inputs[u]
        outputs[u] = x * sigmoid(_logit(x))


@row_loop
def _add_skip(total, values, weight, inputs):
    for u in range(len(total)):
        total[u] = values[u] + weight[u] * inputs[u]


@row_loop
def _through_gelu(gradient, grad_outputs):
    """Turn what gelu was taken of into the gradient before it."""
    for u in range(len(gradient)):
        x = gradient[u]
        if x > _FLAT:
            x = _FLAT
        if x < -_FLAT:
            x = -_FLAT
        s = sigmoid(_logit(x))
        gradient[u] = grad_outputs[u] * (s + x * s * (ONE - s) * (_LINEAR + _THRICE_CUBIC * x * x))


@row_loop
def _multiply(result, one, other):
    for u in range(len(result)):
        result[u] = one[u] * other[u]


@row_loop
def _add_product(total, one, other):
    for u in range(len(total)):
        total[u] += one[u] * other[u]


@row_loop
def _gated(outputs, values, logits):
    for u in range(len(outputs)):
        outputs[u] = values[u] * sigmoid(logits[u])


@row_loop
def _through_gate(grad_values, grad_logits, grad_outputs, values, logits):
    for u in range(len(grad_values)):
        s = sigmoid(logits[u])
        grad_values[u] = grad_outputs[u] * s
        grad_logits[u] = grad_outputs[u] * values[u] * s * (ONE - s)
