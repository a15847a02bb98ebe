"""Statistics that see only the rows where something happened."""

from torch import Tensor


def masked_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of `x` over the rows where `valid` is true.

    Args:
        x: [T, B] figures; what stands in invalid rows is never read (a NaN there does no harm).
        valid: [T, B] bool on the device of `x`. All false gives 0, not NaN.
    """
    return x.where(valid, x.new_zeros(())).sum() / valid.sum().clamp(min=1)


def standardise(x: Tensor, valid: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Return `(x - mean) / (std + epsilon)`, the statistics taken over valid rows alone.

    The standard deviation is the unbiased one, as in Stable-Baselines3. With a single valid row the
    result is `x` itself: one number has no spread.

    Args:
        x: [T, B].
        valid: [T, B] bool.
        epsilon: Added to the standard deviation.
    """
    count = valid.sum()
    mean = masked_mean(x, valid)
    squares = ((x - mean) ** 2).where(valid, x.new_zeros(())).sum()
    deviation = (squares / (count - 1).clamp(min=1)).sqrt()
    return ((x - mean) / (deviation + epsilon)).where(count > 1, x)


def explained_variance(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return `1 - Var(target - prediction) / Var(target)` over valid rows.

    1 is a perfect critic, 0 is as good as a constant; NaN where the targets do not vary.

    Args:
        prediction: [T, B].
        target: [T, B].
        valid: [T, B] bool.
    """
    error = target - prediction
    residual = masked_mean((error - masked_mean(error, valid)) ** 2, valid)
    spread = masked_mean((target - masked_mean(target, valid)) ** 2, valid)
    return (1.0 - residual / spread).where(spread > 0, spread.new_full((), float("nan")))
