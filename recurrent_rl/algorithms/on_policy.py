"""What the recurrent on-policy algorithms share: the shell on Stable-Baselines3's `OnPolicyAlgorithm`.

SB3 runs the loop (collect, log, train), callbacks, loggers and schedules. Here its environment, collection and
checkpoint hooks are joined to the plain-torch core.
"""

import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from recurrent_rl.algorithms.checkpointing import Checkpointing
from recurrent_rl.algorithms.threads import threads_to_act, threads_to_learn, torch_threads
from recurrent_rl.memory import MemorySpec, State
from recurrent_rl.policies import (
    CnnLstmPolicy,
    MlpLstmPolicy,
    MultiInputLstmPolicy,
    RecurrentActorCriticCnnPolicy,
    RecurrentActorCriticPolicy,
    RecurrentMultiInputActorCriticPolicy,
    act_through_rollout,
)
from recurrent_rl.rollout import Carry, Decision, Rollout, collect, to_device
from recurrent_rl.vector import (
    EpisodeStatistics,
    Transition,
    as_vec_env,
    find_non_finite,
    find_non_finite_step,
    read_step,
    refuse_plain_normalize_over_next_step,
)


class NonFiniteError(FloatingPointError):
    """An observation or reward was NaN or infinite; the message names the environment column and the step."""


class RecurrentOnPolicyAlgorithm(Checkpointing, OnPolicyAlgorithm):
    """Collection into chunks and exact checkpoints; the update, `_train`, is left to the algorithm.

    Attributes:
        collection_threads: Torch's threads while a rollout is collected; None (the default) takes one for a small policy
            and torch's own number for others. The update decides by the size of its minibatches.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpLstmPolicy": MlpLstmPolicy,
        "CnnLstmPolicy": CnnLstmPolicy,
        "MultiInputLstmPolicy": MultiInputLstmPolicy,
        "MlpRecurrentPolicy": RecurrentActorCriticPolicy,
        "CnnRecurrentPolicy": RecurrentActorCriticCnnPolicy,
        "MultiInputRecurrentPolicy": RecurrentMultiInputActorCriticPolicy,
    }
    policy: RecurrentActorCriticPolicy  # type: ignore[assignment]
    rollout_buffer: Rollout | None  # type: ignore[assignment]
    env: VecEnv | None
    bptt_horizon: int
    collection_threads: int | None = None

    def _setup_model(self) -> None:
        self._setup_lr_schedule()
        self.set_random_seed(self.seed)
        self.policy = self.policy_class(  # type: ignore[assignment]
            self.observation_space, self.action_space, self.lr_schedule, use_sde=self.use_sde, **self.policy_kwargs
        )
        self.policy = self.policy.to(self.device)
        self.rollout_buffer = None  # made when the first observation is there
        self._last_states: State | None = None
        self._statistics = EpisodeStatistics.where_missing(self.env)
        self._boundary: dict[str, Any] | None = None
        self._resume: dict[str, Any] | None = None

    @staticmethod
    def _wrap_env(env: Any, verbose: int = 0, monitor_wrapper: bool = True) -> VecEnv:
        """Turn whatever the user passed into an SB3 VecEnv with monitor statistics."""
        refuse_plain_normalize_over_next_step(vec_env := as_vec_env(env))
        return BaseAlgorithm._wrap_env(vec_env, verbose, monitor_wrapper)

    @staticmethod
    def known_environment(env: Any) -> Any:
        """Make an environment of an id here: SB3 knows only those of packages that are already imported."""
        return as_vec_env(env) if isinstance(env, str) else env

    def set_env(self, env: Any, force_reset: bool = True) -> None:
        """Train in another environment with the same spaces and number of columns; see SB3's `set_env`."""
        super().set_env(env, force_reset)
        self._statistics = EpisodeStatistics.where_missing(self.env)
        if force_reset:
            self._last_states = self._resume = None

    # ---------------------------------------------------------------- update

    def train(self) -> None:
        """Update the policy from the rollout that was just collected."""
        with torch_threads(threads_to_learn(self.policy, self._minibatch_rows())):
            self._train()

    def _train(self) -> None:
        raise NotImplementedError

    def _minibatch_rows(self) -> int:
        return self.n_steps * self.n_envs

    # ---------------------------------------------------------------- collection

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: Rollout | None, n_rollout_steps: int
    ) -> bool:
        """Fill the rollout and compute advantages; return False where a callback stopped the training."""
        with torch_threads(threads_to_act(self.policy, env.num_envs, self.collection_threads)):
            return self._collect(env, callback, n_rollout_steps)

    def _collect(self, env: VecEnv, callback: BaseCallback, n_rollout_steps: int) -> bool:
        started = time.perf_counter()
        self.policy.set_training_mode(False)
        carry = self._entering_carry()
        self._boundary = self.snapshot()
        if self.use_sde:
            self.policy.reset_noise(env.num_envs)
        self._policy_act = act_through_rollout(self.policy, env.num_envs)
        rollout = self._allocate(carry)
        callback.on_rollout_start()
        found = find_non_finite_step(env, None) or find_non_finite(self._last_obs, None)  # type: ignore[arg-type]
        if found is not None:
            self._stop_non_finite(*found)

        def on_step(t: int, acted_on: Carry, decision: Decision, transition: Any) -> bool:
            self._after_step(decision, transition)
            if self._statistics is not None:
                self._statistics.update(transition.reward, transition.dones, transition.infos)
            step = {"n_steps": t, "n_rollout_steps": n_rollout_steps, "rollout_buffer": rollout, "callback": callback}
            callback.update_locals({"self": self, "env": env, **step, **_step_locals(acted_on, decision, transition)})
            self._update_info_buffer(transition.infos, transition.dones)
            return callback.on_step()

        leaving = collect(rollout, carry, self._act, self.policy.predict_values, self._step, on_step)
        if leaving is None:
            return False
        rollout.finish(self.gamma, self.gae_lambda)
        seconds = time.perf_counter() - started
        self.logger.record("time/collection_fps", int(rollout.n_steps * rollout.n_envs / seconds))
        callback.update_locals({"self": self, "env": env, "callback": callback, "rollout_buffer": rollout})
        callback.on_rollout_end()
        return True

    def _entering_carry(self) -> Carry:
        assert self._last_obs is not None, "No previous observation was provided"
        assert self._last_episode_starts is not None
        if self._last_states is None:
            self._last_states = self.policy.initial_state(len(self._last_episode_starts))
        state = tuple(leaf.detach() for leaf in self._last_states)
        return Carry(to_device(self._last_obs, self.device), state, torch.from_numpy(self._last_episode_starts))

    def _allocate(self, carry: Carry) -> Rollout:
        if self.rollout_buffer is None:
            action = self.policy.blank_actions(len(carry.starts))
            self.rollout_buffer = Rollout(self.n_steps, self.bptt_horizon, carry.observation, action, carry.state)
        return self.rollout_buffer

    def _act(self, t: int, carry: Carry) -> Decision:
        if self.use_sde and self.sde_sample_freq > 0 and t % self.sde_sample_freq == 0:
            self.policy.reset_noise(len(carry.starts))
        actions, values, log_probs, state = self._policy_act(carry.observation, carry.state, carry.starts)
        host_actions = actions.cpu().numpy()
        return Decision(actions, values, log_probs, state, host_actions, self.policy.to_env_actions(host_actions))

    def _step(self, env_actions: np.ndarray) -> Transition:
        assert self.env is not None
        transition = read_step(self.env, env_actions)
        found = find_non_finite_step(self.env, transition)
        if found is not None:
            self._stop_non_finite(*found)
        return transition

    def _after_step(self, decision: Decision, transition: Transition) -> None:
        self.num_timesteps += int(np.count_nonzero(transition.valid))
        self._last_obs = transition.observation
        self._last_episode_starts = transition.starts
        self._last_states = decision.state

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Take episode statistics from the infos; most are empty, and SB3 would look into each."""
        told = [column for column, info in enumerate(infos) if info]
        if told:
            super()._update_info_buffer([infos[column] for column in told], None if dones is None else dones[told])

    def _stop_non_finite(self, column: int, what: str) -> None:
        logs = self._custom_logger or self.tensorboard_log is not None
        path = (
            Path((self.logger.get_dir() if logs else None) or ".") / f"before_non_finite_{self.num_timesteps}_steps.zip"
        )
        self.save(path)
        raise NonFiniteError(
            f"The {what} of environment column {column} is NaN or infinite at step {self.num_timesteps} of training. "
            f"Training stopped; the last update boundary is saved in {path}. Mend the environment (a division by zero, "
            "an overflow, an action out of range), then load that file and go on."
        )


def merge_memory(policy_kwargs: dict[str, Any] | None, memory: MemorySpec | None) -> dict[str, Any]:
    """Return a copy of `policy_kwargs` with the constructor's shorthand `memory=` in it."""
    merged = dict(policy_kwargs or {})
    if memory is not None:
        if merged.get("memory", memory) != memory:
            raise ValueError("memory= and policy_kwargs['memory'] differ; give one of them.")
        merged["memory"] = memory
    return merged


def _step_locals(acted_on: Carry, decision: Decision, transition: Transition) -> dict[str, Any]:
    """What SB3's and users' callbacks read in `self.locals` of one step, under SB3's names."""
    return {
        "obs_tensor": acted_on.observation,
        "episode_starts": acted_on.starts,
        "lstm_states": decision.state,
        "actions": decision.host_actions,
        "clipped_actions": decision.env_actions,
        "values": decision.values,
        "log_probs": decision.log_probs,
        "new_obs": transition.observation,
        "rewards": transition.reward,
        "dones": transition.dones,
        "infos": transition.infos,
    }
