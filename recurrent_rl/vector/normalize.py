"""SB3's VecNormalize where environments reset in the next step: filler rows must not enter the statistics."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor
from stable_baselines3.common.vec_env import VecNormalize as SB3VecNormalize

from recurrent_rl.vector.gym_vec_env import GymVecEnv
from recurrent_rl.vector.keys import ENDED, FILLER
from recurrent_rl.vector.transition import stack


class VecNormalize(SB3VecNormalize):
    """SB3's VecNormalize, the same number for number, which counts each observation and reward once.

    With next-step autoreset an episode's final observation takes the place of the next one's first; the statistics
    leave it out and take the first one from the filler row, as they do in the other modes.

    What differs: with next-step autoreset the final observation is normalised before the statistics have seen the next
    episode's first observation, in the other modes after. This cannot be avoided, because that observation comes one
    row later. Values of truncated episodes differ by as much as one observation moves the statistics.
    """

    def step_wait(self) -> Any:
        """Step; normalise observations and rewards, and update the statistics by the rows that count."""
        observations, rewards, dones, infos = self.venv.step_wait()  # type: ignore[union-attr]
        fillers = np.array([FILLER in info for info in infos])
        # Final observations of a next-step autoreset: shown on the last row, not an observation that is acted upon.
        finals = np.array([bool(info) and ENDED in info for info in infos])
        assert not isinstance(observations, tuple)
        self.old_obs = observations
        self.old_reward = rewards
        if self.training and self.norm_obs:
            self._update_observations(observations, ~finals)
        normalised = self.normalize_obs(observations)
        if self.training:
            self._update_returns(rewards, ~fillers)
        rewards = self.normalize_reward(rewards)
        self._normalise_terminal_observations(infos, dones)
        self.returns[dones | finals] = 0
        return normalised, rewards, dones, infos

    def _update_observations(self, observations: Any, counted: np.ndarray) -> None:
        if not counted.any():
            return
        if isinstance(observations, dict) and isinstance(self.obs_rms, dict):
            assert self.norm_obs_keys is not None
            for key in self.norm_obs_keys:
                self.obs_rms[key].update(observations[key][counted])
        else:
            assert isinstance(self.obs_rms, RunningMeanStd)
            self.obs_rms.update(observations[counted])

    def _update_returns(self, rewards: np.ndarray, counted: np.ndarray) -> None:
        self.returns[counted] = self.returns[counted] * self.gamma + rewards[counted]
        if counted.any():
            self.ret_rms.update(self.returns[counted])

    def _normalise_terminal_observations(self, infos: list[dict[str, Any]], dones: np.ndarray) -> None:
        ended = [infos[column] for column in np.flatnonzero(dones).tolist() if "terminal_observation" in infos[column]]
        finals = stack([info["terminal_observation"] for info in ended])
        if finals is None:
            return
        normalised = self.normalize_obs(finals)  # one batch
        for row, info in enumerate(ended):
            info["terminal_observation"] = (
                {key: value[row] for key, value in normalised.items()}
                if isinstance(normalised, dict)
                else normalised[row]
            )


def refuse_plain_normalize_over_next_step(vec_env: VecEnv) -> None:
    """Raise ValueError where SB3's own VecNormalize or VecMonitor would count the filler rows of a next-step autoreset."""
    wrappers: list[VecEnvWrapper] = []
    layer = vec_env
    while isinstance(layer, VecEnvWrapper):
        wrappers.append(layer)
        layer = layer.venv
    if not isinstance(layer, GymVecEnv) or layer.mode is not AutoresetMode.NEXT_STEP:
        return
    if any(isinstance(wrapper, SB3VecNormalize) and not isinstance(wrapper, VecNormalize) for wrapper in wrappers):
        raise ValueError(
            "Stable-Baselines3's VecNormalize counts the filler rows of an environment that resets in the next step. "
            "Use recurrent_rl.vector.VecNormalize, or make the environment with autoreset_mode=AutoresetMode.SAME_STEP."
        )
    if any(isinstance(wrapper, VecMonitor) for wrapper in wrappers):
        raise ValueError(
            "Stable-Baselines3's VecMonitor counts the filler rows of an environment that resets in the next step. Leave "
            "VecMonitor out: GymVecEnv keeps episode statistics already. Or make the environment with "
            "autoreset_mode=AutoresetMode.SAME_STEP."
        )
