"""Sums and products of probabilities that are held as logarithms: exact, and with gradients, where some of them are zero."""

from typing import NamedTuple

import torch
from torch import Tensor


class LogMatrix(NamedTuple):
    """A matrix of probabilities made ready for products.

    Args:
        logs: [K, J].
        values: exp(logs).
    """

    logs: Tensor
    values: Tensor


def log_matrix(logs: Tensor) -> LogMatrix:
    """Return log-probabilities [K, J] made ready for `log_matmul`."""
    return LogMatrix(logs, logs.exp())


def log_sum(logs: Tensor, dim: int = -1) -> Tensor:
    """Return log sum exp(logs) along `dim`; -inf where all are, with gradients of zero, where torch's are NaN."""
    shift = _largest(logs, dim)
    return _log((logs - shift).exp().sum(dim)) + shift.squeeze(dim)


def log_matmul(rows: Tensor, matrix: LogMatrix) -> Tensor:
    """Return log sum_k exp(rows[..., k] + logs[k, j]), [..., J].

    The product is one of ordinary numbers, scaled by the largest of each row. Where so much underflows that a sum is not
    exact any more, it is done again in logarithms. (To know this waits for the device.)
    """
    shift = _largest(rows, -1)
    product = (rows - shift).exp() @ matrix.values
    least = _exact_from(product.dtype)
    if bool(product.detach().amin() >= least):
        return product.log() + shift
    exact = product >= least
    return _mend(_log(torch.where(exact, product, 0.0)) + shift, rows, matrix, ~exact)


def _exact_from(kind: torch.dtype) -> float:
    """Return from where on a sum loses nothing by terms that underflow: 4e-277 for float64, whose least is 2e-308."""
    limits = torch.finfo(kind)
    return limits.tiny / limits.eps**2


def _mend(result: Tensor, rows: Tensor, matrix: LogMatrix, lost: Tensor) -> Tensor:
    """Return the result with sums put right that are `lost`; those without a possible term are -inf already."""
    possible = (rows > -torch.inf).to(rows.dtype) @ (matrix.logs > -torch.inf).to(rows.dtype) > 0
    *place, column = (lost & possible).nonzero(as_tuple=True)
    if len(column) == 0:
        return result
    return result.index_put((*place, column), log_sum(rows[tuple(place)] + matrix.logs.T[column]))


def _largest(logs: Tensor, dim: int) -> Tensor:
    """Return the largest logarithm along a kept `dim`, finite always; a shift, so no gradient goes through it."""
    return logs.detach().amax(dim, keepdim=True).clamp(min=torch.finfo(logs.dtype).min)


def _log(values: Tensor) -> Tensor:
    """Return the logarithm of values >= 0, with gradients of zero at zero."""
    positive = values > 0
    if bool(positive.all()):
        return values.log()
    return torch.where(positive, torch.where(positive, values, 1.0).log(), -torch.inf)
