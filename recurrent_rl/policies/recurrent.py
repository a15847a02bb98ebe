"""The recurrent actor-critic: feature extractor -> memory -> heads.

    observation [T, B, ...] -> features [T, B, F] -> memory -> outputs [T, B, O] -> actor layers -> distribution
                                                        \\-> (or a memory of its own) -> critic layers -> value

The policy holds parameters only. Memory state goes in and comes out of every call as a flat tuple of leaves
[B, ...]: the actor's leaves first, then the critic's if it has a memory of its own.
"""

from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import partial
from typing import Any, ClassVar, Literal, get_args

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import (
    Distribution,
    StateDependentNoiseDistribution,
    make_proba_distribution,
)
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    CombinedExtractor,
    FlattenExtractor,
    NatureCNN,
)
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import GRU, Memory, MemorySpec, State
from recurrent_rl.memory.recurrent import remember_together
from recurrent_rl.policies.acting import choose_by_program
from recurrent_rl.policies.graph import GraphedStep, through_graph
from recurrent_rl.policies.heads import (
    NetArch,
    check_action_space,
    check_observation_space,
    choose_actions,
    hidden_layers,
    initialise_orthogonally,
    log_prob_and_entropy,
    no_validation,
    split_net_arch,
)
from recurrent_rl.policies.layers import apply_net
from recurrent_rl.policies.likelihood import in_one_pass
from recurrent_rl.policies.predict import Predicts
from recurrent_rl.policies.program.stepper import Stepper

Critic = str | MemorySpec
_HAVE_FUSED = (torch.optim.Adam, torch.optim.AdamW)
_ADAM_ARGUMENTS = {"betas", "eps", "weight_decay", "amsgrad"}
Precision = Literal["float32", "bfloat16"]
_ARGUMENTS = (
    "memory", "critic", "net_arch", "activation_fn", "ortho_init", "use_sde", "log_std_init", "full_std", "use_expln",
    "squash_output", "features_extractor_class", "features_extractor_kwargs", "share_features_extractor",
    "normalize_images", "optimizer_class", "optimizer_kwargs", "precision",
)  # fmt: skip


class RecurrentActorCriticPolicy(Predicts):
    """Actor and critic over a memory; the arguments but `memory` and `critic` are SB3's ActorCriticPolicy's.

    Args:
        observation_space: Box, Discrete, MultiDiscrete, MultiBinary or a flat Dict of them.
        action_space: Box, Discrete, MultiDiscrete or MultiBinary.
        lr_schedule: Progress remaining (1 to 0) -> learning rate.
        memory: What the actor remembers with.
        critic: "shared" reads the actor's memory and its gradient reaches it; "detached" reads it without gradient;
            "separate" has a memory of its own by the same spec; another spec gives it that memory
            (`NoMemory()` is a feed-forward critic).
        net_arch: Hidden layers after the memory: a list for both heads, or dict(pi=[...], vf=[...]).
        activation_fn: Follows every hidden layer.
        ortho_init: Orthogonal weights for extractor, layers and heads (the memory's own are in its spec).
        use_sde: Generalised state-dependent exploration, Box actions only.
        log_std_init: Initial log standard deviation of Box actions.
        full_std: gSDE: a standard deviation per feature and action, not per feature only.
        use_expln: gSDE: keep the standard deviation positive by expln rather than exp.
        squash_output: gSDE: tanh on the actions.
        features_extractor_class: Observation -> features; by default what the policy's name says (flatten, NatureCNN,
            CombinedExtractor).
        features_extractor_kwargs: Its arguments.
        share_features_extractor: One extractor for actor and critic, or one each.
        normalize_images: Divide images by 255.
        optimizer_class: Of torch.optim.
        optimizer_kwargs: Its arguments but the learning rate; Adam gets eps=1e-5 unless given.
        precision: "bfloat16" rounds the factors of the memories' and layers' products; weights, states, sums and heads stay
            float32. On a CPU it needs AVX512-BF16 to be faster; on CUDA it is torch.autocast.
    """

    default_extractor: ClassVar[type[BaseFeaturesExtractor]] = FlattenExtractor

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        *,
        memory: MemorySpec | None = None,
        critic: Critic = "shared",
        net_arch: NetArch = None,
        activation_fn: type[nn.Module] = nn.Tanh,
        ortho_init: bool = True,
        use_sde: bool = False,
        log_std_init: float = 0.0,
        full_std: bool = True,
        use_expln: bool = False,
        squash_output: bool = False,
        features_extractor_class: type[BaseFeaturesExtractor] | None = None,
        features_extractor_kwargs: dict[str, Any] | None = None,
        share_features_extractor: bool = True,
        normalize_images: bool = True,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        precision: Precision = "float32",
    ) -> None:
        if precision not in get_args(Precision):
            raise ValueError(f"precision={precision!r} is unknown; use one of {get_args(Precision)}.")
        check_action_space(action_space)
        check_observation_space(observation_space, features_extractor_class or self.default_extractor)
        if squash_output and not use_sde:
            raise ValueError("squash_output=True needs use_sde=True: the plain Gaussian is clipped, not squashed.")
        if optimizer_kwargs is None:
            optimizer_kwargs = {"eps": 1e-5} if issubclass(optimizer_class, torch.optim.Adam) else {}
        features_extractor_class = features_extractor_class or self.default_extractor
        given = locals()
        self._arguments = {name: given[name] for name in _ARGUMENTS}
        super().__init__(
            observation_space,
            action_space,
            features_extractor_class,
            features_extractor_kwargs,
            optimizer_class=optimizer_class,
            optimizer_kwargs=optimizer_kwargs,
            squash_output=squash_output,
            normalize_images=normalize_images,
        )
        self.precision = precision
        self.steppers: dict[bool, Stepper | None] = {}  # see policies.acting
        self.graphs: dict[str, GraphedStep | None] = {}  # see policies.graph
        self.use_sde = use_sde
        self.log_std_init = log_std_init
        self.features_extractor = self.make_features_extractor()
        self.critic_features = self.features_extractor if share_features_extractor else self.make_features_extractor()
        self._build_memories(memory if memory is not None else GRU(), critic)
        actor_widths, critic_widths = split_net_arch(
            net_arch, default=[] if issubclass(features_extractor_class, NatureCNN) else [64, 64]
        )
        self.actor_layers, actor_size = hidden_layers(self.memory.output_size, actor_widths, activation_fn)
        critic_input = (self.critic_memory or self.memory).output_size
        self.critic_layers, critic_size = hidden_layers(critic_input, critic_widths, activation_fn)
        distribution_kwargs = {"full_std": full_std, "squash_output": squash_output, "use_expln": use_expln}
        self.distribution = make_proba_distribution(action_space, use_sde, distribution_kwargs if use_sde else None)
        self.action_net, self.log_std = self._build_action_net(actor_size)
        self.value_net = nn.Linear(critic_size, 1)
        if ortho_init:
            initialise_orthogonally(
                [self.features_extractor, self.critic_features, self.actor_layers, self.critic_layers],
                self.action_net,
                self.value_net,
            )
        if optimizer_class in _HAVE_FUSED and optimizer_kwargs.keys() <= _ADAM_ARGUMENTS:
            optimizer_kwargs = {**optimizer_kwargs, "fused": True}  # one call for all parameters
        self.optimizer = optimizer_class(self.parameters(), lr=lr_schedule(1), **optimizer_kwargs)  # type: ignore[call-arg]

    # ---------------------------------------------------------------- building

    def _build_memories(self, memory: MemorySpec, critic: Critic) -> None:
        if not isinstance(memory, MemorySpec):
            raise ValueError(f"memory={memory!r} is not a memory spec; give one such as memory=GRU(hidden_size=64).")
        if not isinstance(critic, MemorySpec) and critic not in ("shared", "detached", "separate"):
            raise ValueError(f'critic={critic!r} is unknown; use "shared", "detached", "separate" or a memory spec.')
        if critic in ("shared", "detached") and self.critic_features is not self.features_extractor:
            raise ValueError(
                f'critic="{critic}" reads the actor\'s memory, which has one feature extractor; use '
                'share_features_extractor=True, or critic="separate".'
            )
        self.memory: Memory = memory.build(self.features_extractor.features_dim)
        self.detach_critic = critic == "detached"
        self.critic_memory: Memory | None = None
        if critic not in ("shared", "detached"):
            spec = critic if isinstance(critic, MemorySpec) else memory
            self.critic_memory = spec.build(self.critic_features.features_dim)
        self._actor_leaves = len(self.memory.initial_state(1))

    def _build_action_net(self, latent_size: int) -> tuple[nn.Module, nn.Parameter | None]:
        if isinstance(self.distribution, StateDependentNoiseDistribution):
            return self.distribution.proba_distribution_net(
                latent_dim=latent_size, latent_sde_dim=latent_size, log_std_init=self.log_std_init
            )
        if isinstance(self.action_space, spaces.Box):
            return self.distribution.proba_distribution_net(  # type: ignore[return-value]
                latent_dim=latent_size,
                log_std_init=self.log_std_init,  # type: ignore[call-arg]
            )
        return self.distribution.proba_distribution_net(latent_dim=latent_size), None  # type: ignore[return-value]

    @property
    def device(self) -> torch.device:
        """Where the parameters are (SB3's own property walks through all of them)."""
        return self.value_net.weight.device

    # ---------------------------------------------------------------- memory state

    def initial_state(self, batch_size: int) -> State:
        """Return the state before an episode's first observation: the actor's leaves, then the critic's."""
        actor = self.memory.initial_state(batch_size)
        return actor if self.critic_memory is None else actor + self.critic_memory.initial_state(batch_size)

    def remember(self, observations: Observation, state: State, starts: Tensor) -> tuple[Tensor, Tensor, State]:
        """Read T observations into memory; return what actor and critic see of it, and the state that follows.

        Args:
            observations: [T, B, ...].
            state: Leaves [B, ...], the state that enters row 0.
            starts: [T, B] bool on the host.

        Returns:
            Outputs of the actor's memory [T, B, O], of the critic's [T, B, O'], and the state after row T - 1.
        """
        with self.autocast():
            features = self._features(observations, starts, self.features_extractor)  # [T, B, F]
            if self.critic_memory is None:
                outputs, state = self.memory(features, state, starts)
                return outputs, outputs.detach() if self.detach_critic else outputs, state
            critic_features = features
            if self.critic_features is not self.features_extractor:
                critic_features = self._features(observations, starts, self.critic_features)
            states = state[: self._actor_leaves], state[self._actor_leaves :]
            memories, inputs = (self.memory, self.critic_memory), (features, critic_features)
            actor, critic = remember_together(memories, inputs, states, starts)
        return actor[0], critic[0], actor[1] + critic[1]

    def _latent(self, layers: nn.Module, outputs: Tensor) -> Tensor:
        """Return what the net of actor or critic reads: the layers' result, float32 [T B, ...], of outputs [T, B, O]."""
        with self.autocast():
            return layers(outputs.flatten(0, 1)).float()

    def autocast(self) -> AbstractContextManager:
        """Return the context in which memories and layers run: torch.autocast to bfloat16, or nothing."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def _features(self, observations: Observation, starts: Tensor, extractor: BaseFeaturesExtractor) -> Tensor:
        flat = map_observation(lambda x: x.flatten(0, 1), observations)  # [T B, ...]
        preprocessed = preprocess_obs(flat, self.observation_space, normalize_images=self.normalize_images)
        return extractor(preprocessed).float().unflatten(0, starts.shape)  # [T, B, F], float32 under autocast too

    # ---------------------------------------------------------------- acting

    @no_validation()
    def act(
        self, observation: Observation, state: State, starts: Tensor, deterministic: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, State]:
        """Take one step in B environments.

        Args:
            observation: [B, ...] on the policy's device.
            state: Leaves [B, ...].
            starts: [B] bool on the host; the state is replaced by the initial one where true.
            deterministic: The distribution's mode in place of a sample.

        Returns:
            Actions [B, ...], values [B], log-probabilities [B] and the state that follows.
        """
        outputs, critic_outputs, state = self.remember(_one_row(observation), state, starts.unsqueeze(0))
        latent = self._latent(self.actor_layers, outputs)
        distribution = self.distribution_from(apply_net(self.action_net, latent), latent)
        actions = choose_actions(distribution, deterministic)
        return actions, self._values(critic_outputs), distribution.log_prob(actions), state

    def forward(
        self, observation: Observation, state: State, starts: Tensor, deterministic: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, State]:
        """Same as `act`."""
        return self.act(observation, state, starts, deterministic)

    def _choose(
        self, observation: Observation, state: State, starts: Tensor, deterministic: bool
    ) -> tuple[Tensor, State]:
        found = choose_by_program(self, observation, state, starts, deterministic)
        if found is not None:
            return found
        name = "mode" if deterministic else "sample"
        step = through_graph(self, name, partial(self._choose_by_modules, deterministic=deterministic))
        return step(observation, state, starts)  # type: ignore[return-value]

    def _choose_by_modules(
        self, observation: Observation, state: State, starts: Tensor, deterministic: bool
    ) -> tuple[Tensor, State]:
        with self.autocast():
            features = self._features(_one_row(observation), starts.unsqueeze(0), self.features_extractor)
            outputs, state = self.memory(features, state, starts.unsqueeze(0))
        latent = self._latent(self.actor_layers, outputs)
        with no_validation():
            distribution = self.distribution_from(apply_net(self.action_net, latent), latent)
            return choose_actions(distribution, deterministic), state

    def predict_values(self, observation: Observation, state: State, starts: Tensor) -> Tensor:
        """Return V [B] of observations [B, ...] read with `state` (leaves [B, ...]) where `starts` [B] is false."""
        return self._values(self.remember(_one_row(observation), state, starts.unsqueeze(0))[1])

    # ---------------------------------------------------------------- learning

    @no_validation()
    def evaluate_actions(
        self, observations: Observation, actions: Tensor, state: State, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Replay T rows from an entry state.

        Args:
            observations: [T, B, ...].
            actions: [T, B, ...], as stored.
            state: Leaves [B, ...], the state that enters row 0.
            starts: [T, B] bool on the host.

        Returns:
            Values, log-probabilities and entropies, each [T, B]. Where a distribution has no closed entropy
            (squashed gSDE), minus the log-probability stands in for it.
        """
        outputs, critic_outputs, _ = self.remember(observations, state, starts)
        latent = self._latent(self.actor_layers, outputs)
        parameters, flat_actions = apply_net(self.action_net, latent), actions.flatten(0, 1)  # [T B, A], [T B, ...]
        likelihood = in_one_pass(self.distribution, parameters, self.log_std, flat_actions)
        if likelihood is None:
            likelihood = log_prob_and_entropy(self.distribution_from(parameters, latent), flat_actions)
        log_probs, entropy = likelihood
        # The values come last: backward is then through with the critic before it begins the actor.
        values = self._values(critic_outputs)
        return values.view(starts.shape), log_probs.view(starts.shape), entropy.view(starts.shape)

    def reset_noise(self, n_envs: int = 1) -> None:
        """Draw new gSDE exploration matrices, one per environment; does nothing without gSDE."""
        if isinstance(self.distribution, StateDependentNoiseDistribution):
            assert self.log_std is not None
            self.distribution.sample_weights(self.log_std, batch_size=n_envs)

    def distribution_from(self, parameters: Tensor, latent: Tensor | None = None) -> Distribution:
        """Return the action distribution of the action net's output [B, A]; gSDE also reads its input."""
        distribution = copy(
            self.distribution
        )  # SB3's keeps its parameters; the policy's own stays clean, for any thread
        if isinstance(distribution, StateDependentNoiseDistribution):
            assert self.log_std is not None
            assert latent is not None
            return distribution.proba_distribution(parameters, self.log_std, latent)
        if self.log_std is not None:
            return distribution.proba_distribution(parameters, self.log_std)
        return distribution.proba_distribution(parameters)

    def _values(self, critic_outputs: Tensor) -> Tensor:
        """Return V [T B] of the outputs [T, B, O] of the critic's memory."""
        return apply_net(self.value_net, self._latent(self.critic_layers, critic_outputs)).squeeze(-1)


class RecurrentActorCriticCnnPolicy(RecurrentActorCriticPolicy):
    """The same for images."""

    default_extractor = NatureCNN


class RecurrentMultiInputActorCriticPolicy(RecurrentActorCriticPolicy):
    """The same for Dict observations."""

    default_extractor = CombinedExtractor


def _one_row(observation: Observation) -> Observation:
    return map_observation(lambda x: x.unsqueeze(0), observation)  # [1, B, ...]
