"""How a policy acts: by a compiled program where that applies, else by its modules.

A rollout's program packs the weights once, when the rollout begins; a program for `predict` reads them where they lie. Both
give what `RecurrentActorCriticPolicy.act` gives, up to rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor
from torch import Tensor, nn

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import Memory, State
from recurrent_rl.policies.features import MLPFeatures
from recurrent_rl.policies.heads import no_validation
from recurrent_rl.policies.program.stepper import Stepper, has_program, sample

if TYPE_CHECKING:
    from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

FEW_ROWS = 16  # so many rows read the weights where they lie
_NO_LAYERS = nn.Sequential()
Act = Callable[[Observation, State, Tensor], tuple[Tensor, Tensor, Tensor, State]]
"""(observation [B, ...], state, starts [B]) -> actions [B, ...], values [B], log-probabilities [B], state."""


def act_through_rollout(policy: "RecurrentActorCriticPolicy", batch_size: int) -> Act:
    """Return what acts for the length of one rollout, with the weights as they are now."""
    stepper = policy.kept_stepper(batch_size)
    if stepper is None or not stepper.refresh():
        return policy.act

    def act(observation: Observation, state: State, starts: Tensor) -> tuple[Tensor, Tensor, Tensor, State]:
        features = encoder_inputs(policy, observation)
        parameters, values, state = stepper.step(features, state, starts)
        if isinstance(policy.distribution, CategoricalDistribution):
            actions, log_probs = sample(policy.distribution, parameters)
        else:
            distribution = policy.distribution_from(parameters.clone())
            actions = distribution.get_actions()
            log_probs = distribution.log_prob(actions)
        return actions, values.clone(), log_probs, state

    return act


def step_by_program(
    policy: "RecurrentActorCriticPolicy", observation: Observation, state: State, starts: Tensor
) -> tuple[Tensor, State] | None:
    """Return the distribution's parameters [B, A] for a few observations and the actor's next state; None without program.

    Args:
        policy: Whose actor steps.
        observation: [B, ...].
        state: Leaves [B, L, H] of the actor.
        starts: [B] bool on the host.
    """
    if len(starts) > FEW_ROWS or policy.precision != "float32":
        return None
    stepper = policy.kept_stepper(len(starts), predicting=True)
    if stepper is None or not stepper.fits(state) or not stepper.refresh():
        return None
    parameters, _, state = stepper.step(encoder_inputs(policy, observation)[:1], state, starts)
    return parameters, state


def choose(policy: "RecurrentActorCriticPolicy", parameters: Tensor, deterministic: bool) -> Tensor:
    """Return actions [B, ...] of a distribution's parameters [B, A], the likeliest or drawn."""
    if not isinstance(policy.distribution, CategoricalDistribution):
        with no_validation():
            return policy.distribution_from(parameters.clone()).get_actions(deterministic)
    return parameters.argmax(dim=1) if deterministic else sample(policy.distribution, parameters)[0]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a program is made of: encoders, memories, the layers of actor and critic."""

    encoders: list[nn.Sequential]
    memories: list[Memory]
    actor: list[nn.Module]
    critic: list[nn.Module]


def _parts(policy: "RecurrentActorCriticPolicy", critic: bool) -> _Parts:
    encoders = [_encoder(extractor) for extractor in _extractors(policy)[: None if critic else 1]]
    memories = [policy.memory, *([policy.critic_memory] if critic and policy.critic_memory is not None else [])]
    value = [policy.critic_layers, policy.value_net] if critic else []
    return _Parts(encoders, memories, [policy.actor_layers, policy.action_net], value)


def make_stepper(policy: "RecurrentActorCriticPolicy", batch_size: int, packed: bool, critic: bool) -> Stepper | None:
    """Return a program for `batch_size` rows of a policy of stock parts, with or without its critic; else None."""
    parts = _parts(policy, critic)
    if (
        policy.use_sde
        or not policy.acts_as_stock()
        or not has_program(parts.memories, [*parts.encoders, *parts.actor, *parts.critic])
    ):
        return None
    widths = [_width(extractor) for extractor in _extractors(policy)[: len(parts.encoders)]]
    with policy.autocast():
        stepper = Stepper(parts.encoders, parts.memories, parts.actor, parts.critic, widths, batch_size, packed)
    stepper.owners = _owners(policy)
    return stepper


def is_program_of(policy: "RecurrentActorCriticPolicy", stepper: Stepper, critic: bool) -> bool:
    """Whether the program still is that of the policy's parts."""
    return stepper.is_current(_owners(policy))


def _owners(policy: "RecurrentActorCriticPolicy") -> tuple[nn.Module | None, ...]:
    return tuple(policy._modules.values())


def _extractors(policy: "RecurrentActorCriticPolicy") -> list[BaseFeaturesExtractor]:
    if policy.critic_features is policy.features_extractor:
        return [policy.features_extractor]
    return [policy.features_extractor, policy.critic_features]


def _encoder(extractor: BaseFeaturesExtractor) -> nn.Sequential:
    """Return the extractor's layers; none for one that only flattens, or that torch runs before the program."""
    return extractor.layers if type(extractor) is MLPFeatures else _NO_LAYERS


def _width(extractor: BaseFeaturesExtractor) -> int:
    if type(extractor) is not MLPFeatures:
        return extractor.features_dim
    first = next(layer for layer in extractor.layers if isinstance(layer, nn.Linear))
    return first.in_features


def encoder_inputs(policy: "RecurrentActorCriticPolicy", observation: Observation) -> list[Tensor]:
    """Return what each encoder of a program reads of B observations, [B, I]."""
    space = policy.observation_space
    if isinstance(observation, Tensor) and isinstance(space, spaces.Box) and len(space.shape) == 1:
        prepared: Observation = observation
    else:
        prepared = preprocess_obs(observation, space, normalize_images=policy.normalize_images)  # type: ignore[assignment]
    return [_prepare(extractor, prepared) for extractor in _extractors(policy)]


def _prepare(extractor: BaseFeaturesExtractor, prepared: Observation) -> Tensor:
    if type(extractor) in (MLPFeatures, FlattenExtractor):
        assert isinstance(prepared, Tensor)
        return prepared.flatten(1)
    with torch.no_grad():
        return extractor(map_observation(lambda x: x.float(), prepared))
