"""Advantage actor-critic over a memory: one gradient step per rollout."""

import time
from typing import Any, ClassVar, Self

import torch
from stable_baselines3.common.type_aliases import MaybeCallback, Schedule
from torch import Tensor

from recurrent_rl.algorithms.on_policy import RecurrentOnPolicyAlgorithm, merge_memory
from recurrent_rl.algorithms.update import UpdateLog, optimiser_step
from recurrent_rl.functional import Objective, actor_critic_loss, explained_variance
from recurrent_rl.memory import MemorySpec
from recurrent_rl.policies import RecurrentActorCriticPolicy
from recurrent_rl.rollout import Minibatch, resolve_horizon, whole_rollout


class RecurrentA2C(RecurrentOnPolicyAlgorithm):
    """Recurrent A2C; the arguments and defaults are `stable_baselines3.A2C`'s.

    Args:
        policy: As in RecurrentPPO.
        env: As in RecurrentPPO.
        learning_rate: Number, or function of the remaining progress (1 to 0).
        n_steps: Rows of a rollout per environment, T.
        gamma: Discount.
        gae_lambda: Trace of the advantage estimate; 1 is the n-step return.
        ent_coef: Weight of the entropy bonus.
        vf_coef: Weight of the value loss.
        max_grad_norm: Gradients are scaled down to this norm.
        rms_prop_eps: Epsilon of RMSProp.
        use_rms_prop: RMSProp, or Adam.
        use_sde: Generalised state-dependent exploration (Box actions).
        sde_sample_freq: Steps between draws of its noise; -1 for once per rollout.
        normalize_advantage: Standardise advantages.
        stats_window_size: Episodes in the reported means.
        tensorboard_log: Folder; None for no TensorBoard.
        policy_kwargs: Arguments of the policy, among them `memory=` and `critic=`.
        verbose: 0 silent, 1 tables, 2 more.
        seed: Of torch, NumPy, Python and the environments.
        device: "auto", "cpu" or "cuda".
        memory: Shorthand for policy_kwargs["memory"].
        bptt_horizon: Rows through which gradients flow, K; divides n_steps. None is n_steps.

    Source: Mnih et al. 2016, Asynchronous Methods for Deep Reinforcement Learning (the synchronous form).
    """

    hyperparameters: ClassVar[tuple[str, ...]] = (
        "learning_rate", "n_steps", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm",
        "rms_prop_eps", "use_rms_prop", "use_sde", "sde_sample_freq", "normalize_advantage", "stats_window_size",
        "tensorboard_log", "policy_kwargs", "verbose", "seed", "bptt_horizon",
    )  # fmt: skip

    def __init__(
        self,
        policy: str | type[RecurrentActorCriticPolicy],
        env: Any,
        learning_rate: float | Schedule = 7e-4,
        n_steps: int = 5,
        gamma: float = 0.99,
        gae_lambda: float = 1.0,
        ent_coef: float = 0.0,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        rms_prop_eps: float = 1e-5,
        use_rms_prop: bool = True,
        use_sde: bool = False,
        sde_sample_freq: int = -1,
        normalize_advantage: bool = False,
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
    ) -> None:
        self.given_horizon = bptt_horizon
        self.bptt_horizon = resolve_horizon(bptt_horizon, n_steps, batch_size=None)
        self.rms_prop_eps, self.use_rms_prop = rms_prop_eps, use_rms_prop
        self.normalize_advantage = normalize_advantage
        self.stats_window_size = stats_window_size
        merged = merge_memory(policy_kwargs, memory)
        if use_rms_prop and "optimizer_class" not in merged:
            merged["optimizer_class"] = torch.optim.RMSprop
            merged["optimizer_kwargs"] = {"alpha": 0.99, "eps": rms_prop_eps, "weight_decay": 0}
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
            policy_kwargs=merged,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def _train(self) -> None:
        """Take one step on the whole rollout."""
        assert self.rollout_buffer is not None
        started = time.perf_counter()
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        rollout = whole_rollout(self.rollout_buffer)
        log = UpdateLog(self.logger, explained_variance(rollout.values, rollout.returns, rollout.valid))
        loss, figures = self.loss(rollout)
        figures["grad_norm"] = optimiser_step(self.policy, loss, self.max_grad_norm)
        log.append(figures)
        log.end_epoch()
        self._n_updates += 1
        self._boundary = None
        log.write(self, started)

    def loss(self, rollout: Minibatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the A2C loss of a rollout and its figures, all scalars on the training device."""
        values, log_probs, entropy = self.policy.evaluate_actions(
            rollout.observations, rollout.actions, rollout.entry_state, rollout.starts
        )
        objective = Objective(
            clip_range=None,
            clip_range_vf=None,
            entropy_weight=self.ent_coef,
            value_weight=self.vf_coef,
            normalise=self.normalize_advantage,
        )
        loss, figures = actor_critic_loss(values, log_probs, entropy, rollout.stored, objective)
        figures["policy_loss"] = figures["policy_gradient_loss"]
        return loss, {name: figures[name] for name in ("loss", "policy_loss", "value_loss", "entropy_loss")}

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 100,
        tb_log_name: str = "RecurrentA2C",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Train for `total_timesteps` environment steps (of all columns together); see SB3's `learn`."""
        return super().learn(total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar)
