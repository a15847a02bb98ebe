"""From the memory's output to actions and values: hidden layers, SB3's action distributions, initialisation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    Distribution,
    MultiCategoricalDistribution,
)
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    CombinedExtractor,
    FlattenExtractor,
    NatureCNN,
    create_mlp,
)
from torch import Tensor, nn

from recurrent_rl.policies.features import MLPFeatures
from recurrent_rl.policies.layers import Layers

SUPPORTED_ACTIONS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
NetArch = list[int] | list[dict[str, list[int]]] | dict[str, list[int]] | None


def check_action_space(space: spaces.Space) -> None:
    """Raise ValueError, naming what is supported, unless the policy has a distribution for `space`."""
    flat_multi = not isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary) or len(space.shape) == 1
    counts_from_zero = not isinstance(space, spaces.Discrete | spaces.MultiDiscrete) or not np.any(space.start)
    if isinstance(space, SUPPORTED_ACTIONS) and flat_multi and counts_from_zero:
        return
    names = ", ".join(supported.__name__ for supported in SUPPORTED_ACTIONS)
    raise ValueError(
        f"The action space {space} is not supported; supported are {names} (the last two with one axis), "
        "counted from 0. "
        "Wrap the environment so that its actions take one of these forms, "
        "for example with gymnasium.wrappers.TransformAction."
    )


def check_observation_space(space: spaces.Space, extractor: type[BaseFeaturesExtractor]) -> None:
    """Raise ValueError, naming what to use instead, unless `extractor` reads observations of `space`."""
    flat_only = extractor in (FlattenExtractor, NatureCNN, MLPFeatures)
    if isinstance(space, spaces.Dict) and flat_only:
        raise ValueError(
            "Dict observations need a policy that reads them: MultiInputRecurrentPolicy or MultiInputLstmPolicy."
        )
    if extractor is CombinedExtractor and not isinstance(space, spaces.Dict):
        raise ValueError(f"MultiInput policies read Dict observations, not {space}; use the Mlp or the Cnn policy.")
    for part in space.spaces.values() if isinstance(space, spaces.Dict) else [space]:
        if isinstance(part, spaces.Tuple):
            raise ValueError("Tuple observations are not supported; as_vec_env(env) turns them into others.")
        if isinstance(part, spaces.Discrete | spaces.MultiDiscrete) and np.any(part.start):
            raise ValueError(f"Observations {part} do not count from 0; subtract start by TransformObservation.")


def split_net_arch(net_arch: NetArch, default: list[int]) -> tuple[list[int], list[int]]:
    """Return the hidden widths of actor and critic from SB3's `net_arch` (list, dict(pi=, vf=), its older [dict], None)."""
    if net_arch is None:
        return default, default
    if isinstance(net_arch, list) and net_arch and isinstance(net_arch[0], dict):
        net_arch = net_arch[0]
    if isinstance(net_arch, dict):
        unknown = set(net_arch) - {"pi", "vf"}
        if unknown:
            raise ValueError(f"net_arch has the unknown keys {sorted(unknown)}; use dict(pi=[...], vf=[...]).")
        return net_arch.get("pi", []), net_arch.get("vf", [])
    return list(net_arch), list(net_arch)  # type: ignore[arg-type]


def hidden_layers(input_size: int, widths: Sequence[int], activation_fn: type[nn.Module]) -> tuple[nn.Sequential, int]:
    """Return the layers between the memory and a head, and their output size."""
    layers = Layers(*create_mlp(input_size, -1, list(widths), activation_fn)) if widths else Layers()
    return layers, widths[-1] if widths else input_size


def log_prob_and_entropy(distribution: Distribution, actions: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p(action) and entropy, each [R]; minus the first stands in where there is no closed entropy."""
    log_probs, entropy = distribution.log_prob(actions), distribution.entropy()
    return log_probs, -log_probs if entropy is None else entropy


def choose_actions(distribution: Distribution, deterministic: bool) -> Tensor:
    """Return the distribution's mode or a sample [R, ...], the same as SB3's, without waiting for the device."""
    if deterministic:
        return distribution.mode()
    if type(distribution) is CategoricalDistribution:
        return _sample_categorical(distribution.distribution)
    if type(distribution) is MultiCategoricalDistribution:
        return torch.stack([_sample_categorical(one) for one in distribution.distribution], dim=1)  # [R, D]
    return distribution.sample()


def _sample_categorical(distribution: torch.distributions.Categorical) -> Tensor:
    """Return actions [R] as torch.multinomial draws them, which first asks the device whether it may."""
    probabilities = distribution.probs  # [R, A]
    return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(dim=1)


@contextmanager
def no_validation() -> Iterator[None]:
    """Use torch distributions without argument checks: each check reads the device from the host."""
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(before)


def initialise_orthogonally(trunks: Sequence[nn.Module], action_net: nn.Module, value_net: nn.Module) -> None:
    """Give every linear and convolutional layer orthogonal weights, with SB3's gains.

    Args:
        trunks: Extractors and hidden layers, gain sqrt(2); one that is listed twice is filled once.
        action_net: Gain 0.01, so that the first policy is nearly uniform.
        value_net: Gain 1.
    """
    gains = dict.fromkeys(trunks, 2**0.5) | {action_net: 0.01, value_net: 1.0}
    for module, gain in gains.items():
        module.apply(partial(BasePolicy.init_weights, gain=gain))
