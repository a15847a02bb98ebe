"""SB3's `predict` for a policy with memory: host observations and states in, host actions and states out."""

from abc import abstractmethod

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_action_dim
from torch import Tensor

from recurrent_rl.functional.observation import HostObservation, Observation, map_observation
from recurrent_rl.memory import Memory, State
from recurrent_rl.policies.saving import SavedAlone


class Predicts(SavedAlone):
    """Adds `predict` to a policy that can take the actor's step."""

    memory: Memory

    @abstractmethod
    def _choose(
        self, observation: Observation, state: State, starts: Tensor, deterministic: bool
    ) -> tuple[Tensor, State]:
        """Return actions for observations [B, ...], and the actor's state that follows."""

    def predict(
        self,
        observation: HostObservation,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Return actions for host observations and the state to pass to the next call.

        Args:
            observation: One observation, or B stacked.
            state: What the previous call returned (leaves [B, ...]); None starts episodes.
            episode_start: bool [B], True where this observation is an episode's first; None starts nothing unless
                `state` is None.
            deterministic: The distribution's mode in place of a sample.
        """
        if isinstance(observation, tuple):
            raise ValueError(
                "predict got a tuple: `obs, info = env.reset()` is Gymnasium's form; pass `obs` alone. (Where observations "
                "themselves are Tuples: recurrent_rl.vector.without_tuples turns them into what the policy takes.)"
            )
        if self.training or self.memory.training:
            self.set_training_mode(False)
        device = self.device
        tensor, vectorised = self._to_tensor(observation, device)
        batch_size = len(next(iter(tensor.values())) if isinstance(tensor, dict) else tensor)
        starts = _predict_starts(episode_start, state, batch_size)
        if state is None:
            entering = self.memory.initial_state(batch_size)
        else:
            entering = tuple(_on_device(leaf, device) for leaf in state)
        with torch.no_grad():
            actions, leaving = self._choose(tensor, entering, starts, deterministic)
        env_actions = self.to_env_actions(actions.cpu().numpy())
        return env_actions if vectorised else env_actions[0], tuple(leaf.cpu().numpy() for leaf in leaving)

    def _to_tensor(self, observation: HostObservation, device: torch.device) -> tuple[Observation, bool]:
        """Return one observation or B as a tensor [B, ...], float64 as float32, and whether they were B."""
        space = self.observation_space
        if isinstance(observation, np.ndarray) and isinstance(space, spaces.Box) and len(space.shape) == 1:
            vectorised = observation.ndim == 2
            if observation.shape[vectorised:] == space.shape:  # what SB3 would find out too, in five times the time
                rows = observation if vectorised else observation[None]
                kind = np.float32 if rows.dtype == np.float64 else rows.dtype
                return _on_device(np.array(rows, dtype=kind), device), vectorised
        tensor, vectorised = self.obs_to_tensor(observation)
        return map_observation(lambda x: x.float() if x.dtype == torch.float64 else x, tensor), vectorised

    def blank_actions(self, batch_size: int) -> Tensor:
        """Return zeros of the shape and type that `act` gives for `batch_size` observations."""
        if isinstance(self.action_space, spaces.Discrete):
            return torch.zeros(batch_size, dtype=torch.int64, device=self.device)
        dtype = torch.int64 if isinstance(self.action_space, spaces.MultiDiscrete) else torch.float32
        return torch.zeros((batch_size, get_action_dim(self.action_space)), dtype=dtype, device=self.device)

    def to_env_actions(self, actions: np.ndarray) -> np.ndarray:
        """Return actions [B, ...] in the form that the environment takes: clipped or rescaled to its box."""
        host = actions.reshape((-1, *self.action_space.shape))  # type: ignore[misc]
        if not isinstance(self.action_space, spaces.Box):
            return host
        if self.squash_output:
            return self.unscale_action(host)  # type: ignore[return-value]
        return np.clip(host, self.action_space.low, self.action_space.high)

    def _predict(self, observation: Observation, deterministic: bool = False) -> Tensor:
        raise NotImplementedError("A recurrent policy acts with a state: use predict or act.")


def _on_device(leaf: np.ndarray | Tensor, device: torch.device) -> Tensor:
    tensor = torch.from_numpy(leaf) if isinstance(leaf, np.ndarray) and leaf.flags.writeable else torch.as_tensor(leaf)
    return tensor if device.type == "cpu" else tensor.to(device)


def _predict_starts(episode_start: np.ndarray | None, state: tuple[np.ndarray, ...] | None, batch_size: int) -> Tensor:
    if state is None:
        return torch.ones(batch_size, dtype=torch.bool)
    if episode_start is None:
        return torch.zeros(batch_size, dtype=torch.bool)
    starts = torch.from_numpy(np.array(episode_start, dtype=bool).reshape(-1))
    if len(starts) != batch_size:
        raise ValueError(f"episode_start has {len(starts)} entries for {batch_size} observations; give one for each.")
    return starts
