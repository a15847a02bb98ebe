"""Reinforcement-learning agents that remember."""

from recurrent_rl.algorithms import RecurrentA2C, RecurrentPPO

__version__ = "0.1.0"
__all__ = ["RecurrentA2C", "RecurrentPPO", "__version__"]
