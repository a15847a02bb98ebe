"""One step of a policy's actor as tensors in and tensors out: what every export writes down."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from recurrent_rl.export.spaces import ONLY, part_names, parts_of
from recurrent_rl.functional.observation import Observation
from recurrent_rl.policies.heads import no_validation
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

Normaliser = Mapping[str, Any]
"""What `recurrent_rl.vector.get_normaliser` returns."""


class ActingStep(nn.Module):
    """One step, with the likeliest action: normaliser -> features -> memory -> layers -> distribution -> action.

        parts of the observation [B, ...], leaves [B, ...] -> action [B, ...], parameters [B, A] each, leaves [B, ...]

    The action is what the environment takes, so clipped to its Box or scaled to it. The parameters are the `logits` of
    choices, or `mean` and `deviation` of numbers before they are clipped or squashed. A leaf is read as it is: an episode
    starts where the entering leaves are the initial ones. Products are in float32, whatever the policy's precision.

    Args:
        policy: It is read, not copied.
        normaliser: Of the observations it was trained on; None where they went in as they were.
    """

    def __init__(self, policy: RecurrentActorCriticPolicy, normaliser: Normaliser | None = None) -> None:
        super().__init__()
        self.policy, self.normaliser = policy, normaliser
        self.names = part_names(policy.observation_space)
        numbers = isinstance(policy.action_space, spaces.Box)
        self.parameter_names = ("mean", "deviation") if numbers else ("logits",)
        statistics = _statistics(policy.observation_space, normaliser)
        self.normalised = tuple(statistics)
        self.normalisers = nn.ModuleList(statistics.values())  # a Dict's keys may be names that modules cannot have

    def initial_leaves(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return the leaves [B, ...] before an episode, without gradient."""
        return tuple(leaf.detach().contiguous() for leaf in self.policy.memory.initial_state(batch_size))

    def normalisers_of(self) -> list["Normalise"]:
        """Return what normalises the parts in `normalised`."""
        return list(self.normalisers)  # type: ignore[arg-type]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Take the step: parts in the order of `names`, then leaves."""
        parts, state = tensors[: len(self.names)], tensors[len(self.names) :]
        policy, rows = self.policy, parts[0].shape[0]  # len would make a constant of it
        starts = torch.zeros((1, rows), dtype=torch.bool)
        observation = self._observation(parts)
        features = policy._features(observation, starts, policy.features_extractor)  # [1, B, F]
        outputs, state = policy.memory(features, state, starts)
        latent = policy.actor_layers(outputs.flatten(0, 1)).float()  # [B, L]
        parameters = self._parameters_of(latent)
        return self._action(parameters[0]), *parameters, *state

    def _observation(self, parts: Sequence[Tensor]) -> Observation:
        """Return the observation with a time axis [1, B, ...], normalised."""
        named = dict(zip(self.names, parts, strict=True))
        for name, normalise in zip(self.normalised, self.normalisers, strict=True):
            named[name] = normalise(named[name])
        named = {name: part.unsqueeze(0) for name, part in named.items()}  # [1, B, ...]
        return named if isinstance(self.policy.observation_space, spaces.Dict) else named[self.names[0]]

    def _parameters_of(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return what the distribution of the actions is given by, [B, A] each."""
        policy, given = self.policy, self.policy.action_net(latent)
        if not isinstance(policy.action_space, spaces.Box):
            return (given,)
        with no_validation():
            distribution: Any = policy.distribution_from(given, latent).distribution
            return given, distribution.stddev.expand_as(given)

    def _action(self, given: Tensor) -> Tensor:
        """Return the likeliest action for logits or means [B, A], in the form that the environment takes."""
        space = self.policy.action_space
        if isinstance(space, spaces.Discrete):
            return given.argmax(dim=1)
        if isinstance(space, spaces.MultiDiscrete):
            return torch.stack([one.argmax(dim=1) for one in given.split(space.nvec.tolist(), dim=1)], dim=1)
        if isinstance(space, spaces.MultiBinary):
            return (given > 0).float()
        rows = given.reshape(given.shape[0], *space.shape)  # type: ignore[misc]
        # In a space of float64 the bounds are no float32 numbers: an action that was clipped to such would lie outside.
        rows = rows.double() if space.dtype == np.float64 else rows
        low, high = (torch.from_numpy(bound).to(rows.dtype) for bound in (space.low, space.high))  # type: ignore[union-attr]
        if self.policy.squash_output:
            return low + 0.5 * (rows.tanh() + 1.0) * (high - low)
        return torch.maximum(torch.minimum(rows, high), low)


class Normalise(nn.Module):
    """(x - mean) / sqrt(var + epsilon), clipped, in float64 as Stable-Baselines3 does it, then float32."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, statistics: Mapping[str, Any], clip: float, epsilon: float) -> None:
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.as_tensor(statistics["mean"], dtype=torch.float64))
        variance = torch.as_tensor(statistics["var"], dtype=torch.float64)
        self.register_buffer("deviation", (variance + epsilon).sqrt())

    def forward(self, part: Tensor) -> Tensor:
        """Return a part [B, ...] normalised, float32."""
        return ((part.double() - self.mean) / self.deviation).clamp(-self.clip, self.clip).float()


def _statistics(space: spaces.Space, normaliser: Normaliser | None) -> dict[str, Normalise]:
    """Return what normalises each part, for the parts that were normalised."""
    if normaliser is None or normaliser["observations"] is None:
        return {}
    by_part = normaliser["observations"] if isinstance(space, spaces.Dict) else {ONLY: normaliser["observations"]}
    # Checkpoints of version 0.1 leave out what is Stable-Baselines3's default.
    clip, epsilon = normaliser.get("clip_obs", 10.0), normaliser.get("epsilon", 1e-8)
    for name, part in parts_of(space).items():
        if name in by_part and np.shape(by_part[name]["mean"]) != part.shape:
            raise ValueError(
                f"The normaliser knows numbers of the shape {np.shape(by_part[name]['mean'])}, and the policy reads {name} "
                f"of {part.shape}: put VecNormalize above what changes the shape, such as VecFrameStack."
            )
    return {name: Normalise(statistics, clip, epsilon) for name, statistics in by_part.items()}
