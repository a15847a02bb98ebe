"""Players without memory whose decision is linear in the observation."""

import numpy as np

from pomdp_envs.players import Player


class Switch(Player):
    """Choose action 1 where weights . observation > 0, otherwise action 0; subclasses give the weights."""

    weights: np.ndarray  # [K]

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look at the sign."""
        return (observation @ self.weights > 0).astype(np.int64)


class Lever(Player):
    """Apply weights . observation; subclasses give the weights."""

    weights: np.ndarray  # [K]

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Leave it to the world to clip."""
        return (observation @ self.weights)[:, None].astype(np.float32)  # [B, 1]
