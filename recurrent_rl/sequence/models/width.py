"""Networks of different kinds with as many parameters as each other."""

from collections.abc import Callable

import torch
from torch import nn

WIDEST = 2**16


def match_width(
    make: Callable[[int], nn.Module], parameters: int, *, tolerance: float = 0.03, multiple_of: int = 1
) -> int:
    """Return the width whose network has the number of parameters nearest to a budget.

    Networks are built on the meta device, where they take neither memory nor time to fill.

    Args:
        make: Returns a network of a width; its parameters must not get fewer with the width.
        parameters: The budget.
        tolerance: How far the number may be from the budget, as a share of it.
        multiple_of: What the width must be a multiple of, for example twice the number of heads.

    Raises:
        ValueError: No width comes within the tolerance; the message names the nearest and its number.
    """

    def count(multiple: int) -> int:
        with torch.device("meta"):
            return count_parameters(make(multiple * multiple_of))

    above = 1
    while count(above) < parameters and above * multiple_of < WIDEST:
        above *= 2
    below = above // 2
    while above - below > 1:  # below has fewer than the budget, or is 0
        middle = (above + below) // 2
        below, above = (middle, above) if count(middle) < parameters else (below, middle)
    found = {multiple: count(multiple) for multiple in (below, above) if multiple > 0}
    best = min(found, key=lambda multiple: abs(found[multiple] - parameters))
    if abs(found[best] - parameters) > tolerance * parameters:
        raise ValueError(
            f"No width that is a multiple of {multiple_of} has within {tolerance:.1%} of {parameters} parameters: the "
            f"nearest is {best * multiple_of}, with {found[best]}. Change the budget, the tolerance or other sizes."
        )
    return best * multiple_of


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers of a module are learned, shared ones counted once."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
