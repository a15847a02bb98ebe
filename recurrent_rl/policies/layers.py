"""Stacks of fully connected layers, each with its activation in one pass."""

from torch import Tensor, nn

from recurrent_rl.functional.dense import dense

_NAMES = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def apply_net(net: nn.Module, x: Tensor) -> Tensor:
    """Return the output of a last layer, [..., I] -> [..., O]."""
    return dense(x, net.weight, net.bias) if type(net) is nn.Linear else net(x)


class Layers(nn.Sequential):
    """`nn.Sequential` with the same parameters and results, where a Linear and the Tanh or ReLU after it run as one."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """[..., I] -> [..., O]."""
        modules = list(self)
        while modules:
            module = modules.pop(0)
            if type(module) is not nn.Linear:
                x = module(x)
                continue
            activation = _NAMES.get(type(modules[0]), "none") if modules else "none"
            if activation != "none":
                modules.pop(0)
            x = dense(x, module.weight, module.bias, activation)
        return x
