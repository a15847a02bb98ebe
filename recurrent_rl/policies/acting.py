"""How a policy acts: by a compiled program on the CPU, by a CUDA graph, else by its modules.

A rollout's program packs the weights once, when the rollout begins; a program for `predict` reads them where they lie. Both
give what `RecurrentActorCriticPolicy.act` gives, up to rounding.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor
from torch import Tensor, nn

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State
from recurrent_rl.policies.features import MLPFeatures
from recurrent_rl.policies.graph import through_graph
from recurrent_rl.policies.heads import no_validation
from recurrent_rl.policies.program.stepper import Parts, Stepper, has_program

if TYPE_CHECKING:
    from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

FEW_ROWS = 16  # so many rows read the weights where they lie
_NO_LAYERS = nn.Sequential()
Act = Callable[[Observation, State, Tensor], tuple[Tensor, Tensor, Tensor, State]]
"""(observation [B, ...], state, starts [B]) -> actions [B, ...], values [B], log-probabilities [B], state."""


def act_through_rollout(policy: "RecurrentActorCriticPolicy", batch_size: int) -> Act:
    """Return what acts for the length of one rollout, without gradients, with the weights as they are now."""
    stepper = kept_stepper(policy, batch_size, predicting=False)
    if stepper is None or not stepper.refresh():
        return through_graph(policy, "act", policy.act)

    @no_validation()
    def act(observation: Observation, state: State, starts: Tensor) -> tuple[Tensor, Tensor, Tensor, State]:
        features = encoder_inputs(observation, policy, _extractors(policy))
        parameters, values, state = stepper.step(features, state, starts)
        if type(policy.distribution) is CategoricalDistribution:
            actions, log_probs = _sample(parameters)
        else:
            distribution = policy.distribution_from(parameters.clone())
            actions = distribution.get_actions()
            log_probs = distribution.log_prob(actions)
        return actions, values.clone(), log_probs, state

    return act


def choose_by_program(
    policy: "RecurrentActorCriticPolicy", observation: Observation, state: State, starts: Tensor, deterministic: bool
) -> tuple[Tensor, State] | None:
    """Return actions [B, ...] for a few observations and the actor's next state; None where no program applies.

    Args:
        policy: Whose actor steps.
        observation: [B, ...].
        state: Leaves [B, L, H] of the actor.
        starts: [B] bool on the host.
        deterministic: The likeliest actions in place of drawn ones.
    """
    if len(starts) > FEW_ROWS or policy.precision != "float32":
        return None
    stepper = kept_stepper(policy, len(starts), predicting=True)
    if stepper is None or not stepper.fits(state):
        return None
    features = encoder_inputs(observation, policy, [policy.features_extractor])
    with stepper.lock:  # several threads may ask one policy
        if not stepper.refresh():
            return None
        parameters, _, state = stepper.step(features, state, starts)
        parameters = parameters.clone()
    if type(policy.distribution) is CategoricalDistribution:
        return parameters.argmax(dim=1) if deterministic else _sample(parameters)[0], state
    with no_validation():
        return policy.distribution_from(parameters).get_actions(deterministic), state


def _sample(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return actions [B] and log-probabilities [B] of a categorical with logits [B, A]."""
    from recurrent_rl.policies.program.build import sample_categorical

    return sample_categorical(logits)


def kept_stepper(policy: "RecurrentActorCriticPolicy", batch_size: int, predicting: bool) -> Stepper | None:
    """Return the policy's program for steps of `batch_size` rows, made anew where B or a part changed; None without one.

    Args:
        policy: Of stock parts, or there is no program.
        batch_size: B.
        predicting: For `predict`: the actor alone, weights read where they lie.
    """
    stepper, owners = policy.steppers.get(predicting), tuple(policy._modules.values())
    if stepper is None or stepper.batch_size != batch_size or not stepper.is_current(owners):
        stepper = policy.steppers[predicting] = _make_stepper(policy, owners, batch_size, predicting)
    return stepper


def _make_stepper(
    policy: "RecurrentActorCriticPolicy", owners: tuple[nn.Module | None, ...], batch_size: int, predicting: bool
) -> Stepper | None:
    extractors = [policy.features_extractor] if predicting else _extractors(policy)
    memories = [policy.memory, *([] if predicting or policy.critic_memory is None else [policy.critic_memory])]
    parts = Parts(
        encoders=[_encoder(extractor) for extractor in extractors],
        memories=memories,
        actor=[policy.actor_layers, policy.action_net],
        critic=[] if predicting else [policy.critic_layers, policy.value_net],
    )
    if policy.use_sde or not _steps_as_stock(policy) or not has_program(parts):
        return None
    widths = [_width(extractor) for extractor in extractors]
    with policy.autocast():
        return Stepper(parts, owners, widths, batch_size, packed=not predicting)


def _steps_as_stock(policy: "RecurrentActorCriticPolicy") -> bool:
    """Whether no subclass has a say in a step, so that a program may take it."""
    from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy as Stock

    mine = type(policy)
    steps = (mine.act, mine.remember, mine._features, mine._latent, mine.distribution_from, mine._values)
    return steps == (Stock.act, Stock.remember, Stock._features, Stock._latent, Stock.distribution_from, Stock._values)


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


def encoder_inputs(
    observation: Observation, policy: "RecurrentActorCriticPolicy", extractors: list[BaseFeaturesExtractor]
) -> list[Tensor]:
    """Return what the encoders of these extractors read of B observations, [B, I]."""
    space = policy.observation_space
    if isinstance(observation, Tensor) and isinstance(space, spaces.Box) and len(space.shape) == 1:
        prepared: Observation = observation
    else:
        prepared = preprocess_obs(observation, space, normalize_images=policy.normalize_images)  # type: ignore[assignment]
    return [_prepare(extractor, prepared) for extractor in extractors]


def _prepare(extractor: BaseFeaturesExtractor, prepared: Observation) -> Tensor:
    if type(extractor) in (MLPFeatures, FlattenExtractor):
        assert isinstance(prepared, Tensor)
        return prepared.flatten(1)
    with torch.no_grad():
        return extractor(map_observation(lambda x: x.float(), prepared))
