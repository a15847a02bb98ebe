"""Stacks of fully connected layers, each with its activation in one pass."""

from typing import TypeGuard

from torch import Tensor, nn

from recurrent_rl.functional.dense import dense

_NAMES = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def is_plain(module: nn.Module) -> TypeGuard[nn.Linear]:
    """Whether a module is a linear layer that nobody listens to: hooks would not be called."""
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    return type(module) is nn.Linear and not hooks


def apply_net(net: nn.Module, x: Tensor) -> Tensor:
    """Return the output of a last layer, [..., I] -> [..., O]."""
    return dense(x, net.weight, net.bias) if is_plain(net) else net(x)


class Layers(nn.Sequential):
    """`nn.Sequential` with the same parameters and results, where a Linear and the Tanh or ReLU after it run as one."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """[..., I] -> [..., O]."""
        modules = list(self)
        while modules:
            module = modules.pop(0)
            if not is_plain(module):
                x = module(x)
                continue
            activation = _NAMES.get(type(modules[0]), "none") if modules else "none"
            if activation != "none":
                modules.pop(0)
            x = dense(x, module.weight, module.bias, activation)
        return x
