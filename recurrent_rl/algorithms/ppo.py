"""Proximal policy optimisation over a memory, by truncated backpropagation through time."""

import time
from dataclasses import replace
from typing import Any, ClassVar, Self

import torch
from stable_baselines3.common.type_aliases import MaybeCallback, Schedule
from stable_baselines3.common.utils import FloatSchedule
from torch import Tensor

from recurrent_rl.algorithms.on_policy import RecurrentOnPolicyAlgorithm, merge_memory
from recurrent_rl.algorithms.update import UpdateLog, optimiser_step
from recurrent_rl.functional import Objective, actor_critic_loss, explained_variance
from recurrent_rl.memory import MemorySpec
from recurrent_rl.policies import RecurrentActorCriticPolicy
from recurrent_rl.rollout import (
    Minibatch,
    chunks_per_minibatch,
    refresh_entry_states,
    resolve_horizon,
    shuffled,
    state_drift,
    whole_rollout,
)

DRIFT_EVERY = 10  # updates


class RecurrentPPO(RecurrentOnPolicyAlgorithm):
    """Recurrent PPO; takes what `sb3_contrib.RecurrentPPO` takes, with the same defaults.

    Args:
        policy: "MlpRecurrentPolicy", "CnnRecurrentPolicy" or "MultiInputRecurrentPolicy" with a memory spec; or
            sb3-contrib's "MlpLstmPolicy", "CnnLstmPolicy", "MultiInputLstmPolicy"; or a policy class.
        env: Id, gymnasium.Env, gymnasium.vector.VectorEnv (any autoreset mode) or SB3 VecEnv.
        learning_rate: Number, or function of the remaining progress (1 to 0).
        n_steps: Rows of a rollout per environment, T.
        batch_size: Rows of a minibatch, rounded to whole chunks; None for the whole rollout.
        n_epochs: Passes over each rollout.
        gamma: Discount.
        gae_lambda: Trace of the advantage estimate.
        clip_range: Of the probability ratio; number or function of the remaining progress.
        clip_range_vf: Of the change of a value prediction, in units of the return; None for no clipping.
        normalize_advantage: Standardise advantages within each minibatch.
        ent_coef: Weight of the entropy bonus.
        vf_coef: Weight of the value loss.
        max_grad_norm: Gradients are scaled down to this norm.
        use_sde: Generalised state-dependent exploration (Box actions).
        sde_sample_freq: Steps between draws of its noise; -1 for once per rollout.
        target_kl: Stop an update where the estimated KL exceeds 1.5 times this; None for never.
        stats_window_size: Episodes in the reported means.
        tensorboard_log: Folder; None for no TensorBoard.
        policy_kwargs: Arguments of the policy, among them `memory=` and `critic=`.
        verbose: 0 silent, 1 tables, 2 more.
        seed: Of torch, NumPy, Python and the environments.
        device: "auto", "cpu" or "cuda".
        memory: Shorthand for policy_kwargs["memory"].
        bptt_horizon: Rows through which gradients flow, K; divides n_steps. None takes the divisor of n_steps nearest to
            batch_size.
        refresh_states: Recompute the states that enter chunks before every epoch after the first.

    Source: Schulman et al. 2017, Proximal Policy Optimization Algorithms.
    """

    hyperparameters: ClassVar[tuple[str, ...]] = (
        "learning_rate", "n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "clip_range", "clip_range_vf",
        "normalize_advantage", "ent_coef", "vf_coef", "max_grad_norm", "use_sde", "sde_sample_freq", "target_kl",
        "stats_window_size", "tensorboard_log", "policy_kwargs", "verbose", "seed", "bptt_horizon", "refresh_states",
    )  # fmt: skip

    def __init__(
        self,
        policy: str | type[RecurrentActorCriticPolicy],
        env: Any,
        learning_rate: float | Schedule = 3e-4,
        n_steps: int = 128,
        batch_size: int | None = 128,
        n_epochs: int = 10,
        gamma: float = 0.99,
        gae_lambda: float = 0.95,
        clip_range: float | Schedule = 0.2,
        clip_range_vf: float | Schedule | None = None,
        normalize_advantage: bool = True,
        ent_coef: float = 0.0,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        use_sde: bool = False,
        sde_sample_freq: int = -1,
        target_kl: float | None = None,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        policy_kwargs: dict[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: torch.device | str = "auto",
        _init_setup_model: bool = True,
        *,
        memory: MemorySpec | None = None,
        bptt_horizon: int | None = None,
        refresh_states: bool = False,
    ) -> None:
        if n_epochs < 1:
            raise ValueError(f"n_epochs={n_epochs} must be at least 1, or nothing is learned.")
        if isinstance(clip_range_vf, int | float) and clip_range_vf <= 0:
            raise ValueError(f"clip_range_vf={clip_range_vf} must be positive; None clips no value predictions.")
        self.given_horizon = bptt_horizon
        self.bptt_horizon = resolve_horizon(bptt_horizon, n_steps, batch_size)
        self.batch_size = batch_size
        self.n_epochs = n_epochs
        self.clip_range = clip_range
        self.clip_range_vf = clip_range_vf
        self.normalize_advantage = normalize_advantage
        self.target_kl = target_kl
        self.refresh_states = refresh_states
        self.stats_window_size = stats_window_size
        super().__init__(
            policy,  # type: ignore[arg-type]
            self.known_environment(env),
            learning_rate=learning_rate,
            n_steps=n_steps,
            gamma=gamma,
            gae_lambda=gae_lambda,
            ent_coef=ent_coef,
            vf_coef=vf_coef,
            max_grad_norm=max_grad_norm,
            use_sde=use_sde,
            sde_sample_freq=sde_sample_freq,
            stats_window_size=stats_window_size,
            tensorboard_log=tensorboard_log,
            policy_kwargs=merge_memory(policy_kwargs, memory),
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def _minibatch_rows(self) -> int:
        return super()._minibatch_rows() if self.batch_size is None else self.batch_size

    def _train(self) -> None:
        """Run n_epochs over the chunks of the rollout."""
        assert self.rollout_buffer is not None
        started = time.perf_counter()
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        self._update_objective()
        chunks = whole_rollout(self.rollout_buffer)
        log = UpdateLog(self.logger, explained_variance(chunks.values, chunks.returns, chunks.valid))
        size = chunks_per_minibatch(self._minibatch_rows(), self.bptt_horizon)
        for epoch in range(self.n_epochs):
            if epoch > 0 and self.refresh_states:
                chunks = self._refreshed(chunks)
            if not all(self._step_minibatch(minibatch, log) for minibatch in shuffled(chunks, size)):
                break
            log.end_epoch()
        if (self._n_updates // self.n_epochs) % DRIFT_EVERY == 0:
            log.record("memory/state_drift", state_drift(chunks, self._refreshed(chunks)))
        self._n_updates += self.n_epochs
        self._boundary = None
        log.write(self, started)

    def _update_objective(self) -> None:
        progress = self._current_progress_remaining
        clip_range = FloatSchedule(self.clip_range)(progress)
        clip_range_vf = None if self.clip_range_vf is None else FloatSchedule(self.clip_range_vf)(progress)
        self._objective = Objective(
            clip_range=clip_range,
            clip_range_vf=clip_range_vf,
            entropy_weight=self.ent_coef,
            value_weight=self.vf_coef,
            normalise=self.normalize_advantage,
        )
        self.logger.record("train/clip_range", clip_range)
        if clip_range_vf is not None:
            self.logger.record("train/clip_range_vf", clip_range_vf)

    def _step_minibatch(self, minibatch: Minibatch, log: UpdateLog) -> bool:
        """Take one optimiser step; return False, without the step, where target_kl says to stop."""
        loss, figures = self.loss(minibatch)
        if self.target_kl is not None and figures["approx_kl"].item() > 1.5 * self.target_kl:
            log.append(figures)
            log.end_epoch()
            return False
        figures["grad_norm"] = optimiser_step(self.policy, loss, self.max_grad_norm)
        log.append(figures)
        return True

    def loss(self, minibatch: Minibatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the PPO loss of a minibatch and its figures, all scalars on the training device."""
        values, log_probs, entropy = self.policy.evaluate_actions(
            minibatch.observations, minibatch.actions, minibatch.entry_state, minibatch.starts
        )
        return actor_critic_loss(values, log_probs, entropy, minibatch.stored, self._objective)

    def _refreshed(self, chunks: Minibatch) -> Minibatch:
        self.policy.set_training_mode(False)  # the stored states were made without dropout
        refreshed = refresh_entry_states(chunks, self.n_envs, lambda *rows: self.policy.remember(*rows)[2])
        self.policy.set_training_mode(True)
        return replace(chunks, entry_state=refreshed.entry_state)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 1,
        tb_log_name: str = "RecurrentPPO",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Train for `total_timesteps` environment steps (of all columns together); see SB3's `learn`."""
        return super().learn(total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar)
