"""The POPGym suite, natively batched: the same spaces, rewards, episode lengths and ends as popgym 1.0.7.

Source: Morad, Kortvelesy, Bettini, Liwicki and Prorok (2023), "POPGym: Benchmarking Partially Observable Reinforcement
Learning".
"""

from pomdp_envs.popgym.autoencode import Autoencode
from pomdp_envs.popgym.battleship import Battleship
from pomdp_envs.popgym.concentration import Concentration
from pomdp_envs.popgym.count_recall import CountRecall
from pomdp_envs.popgym.difficulties import register_difficulties
from pomdp_envs.popgym.higher_lower import HigherLower
from pomdp_envs.popgym.labyrinth_escape import LabyrinthEscape
from pomdp_envs.popgym.labyrinth_explore import LabyrinthExplore
from pomdp_envs.popgym.minesweeper import MineSweeper
from pomdp_envs.popgym.multiarmed_bandit import MultiarmedBandit
from pomdp_envs.popgym.noisy_position_only_cartpole import NoisyPositionOnlyCartPole
from pomdp_envs.popgym.noisy_position_only_pendulum import NoisyPositionOnlyPendulum
from pomdp_envs.popgym.position_only_cartpole import PositionOnlyCartPole
from pomdp_envs.popgym.position_only_pendulum import PositionOnlyPendulum
from pomdp_envs.popgym.repeat_first import RepeatFirst
from pomdp_envs.popgym.repeat_previous import RepeatPrevious
from pomdp_envs.popgym.velocity_only_cartpole import VelocityOnlyCartPole

__all__ = [
    "Autoencode",
    "Battleship",
    "Concentration",
    "CountRecall",
    "HigherLower",
    "LabyrinthEscape",
    "LabyrinthExplore",
    "MineSweeper",
    "MultiarmedBandit",
    "NoisyPositionOnlyCartPole",
    "NoisyPositionOnlyPendulum",
    "PositionOnlyCartPole",
    "PositionOnlyPendulum",
    "RepeatFirst",
    "RepeatPrevious",
    "VelocityOnlyCartPole",
]

register_difficulties("Autoencode", Autoencode, {"num_decks": 1}, {"num_decks": 2}, {"num_decks": 3})
register_difficulties(
    "RepeatPrevious",
    RepeatPrevious,
    {"num_decks": 1, "k": 4},
    {"num_decks": 2, "k": 32},
    {"num_decks": 3, "k": 64},
)
register_difficulties("RepeatFirst", RepeatFirst, {"num_decks": 1}, {"num_decks": 8}, {"num_decks": 16})
register_difficulties(
    "CountRecall",
    CountRecall,
    {"num_decks": 1, "deck_type": "colors"},
    {"num_decks": 2, "deck_type": "suits"},
    {"num_decks": 4, "deck_type": "ranks"},
)
register_difficulties("HigherLower", HigherLower, {"num_decks": 1}, {"num_decks": 2}, {"num_decks": 3})
register_difficulties(
    "Concentration",
    Concentration,
    {"num_decks": 1, "deck_type": "colors"},
    {"num_decks": 2, "deck_type": "colors"},
    {"num_decks": 1, "deck_type": "ranks"},
)
register_difficulties(
    "PositionOnlyCartPole", PositionOnlyCartPole, {"time_limit": 200}, {"time_limit": 400}, {"time_limit": 600}
)
register_difficulties(
    "VelocityOnlyCartPole", VelocityOnlyCartPole, {"time_limit": 200}, {"time_limit": 400}, {"time_limit": 600}
)
register_difficulties(
    "NoisyPositionOnlyCartPole",
    NoisyPositionOnlyCartPole,
    {"noise_sigma": 0.1},
    {"noise_sigma": 0.2},
    {"noise_sigma": 0.3},
)
register_difficulties(
    "PositionOnlyPendulum", PositionOnlyPendulum, {"time_limit": 200}, {"time_limit": 150}, {"time_limit": 100}
)
register_difficulties(
    "NoisyPositionOnlyPendulum",
    NoisyPositionOnlyPendulum,
    {"noise_sigma": 0.1},
    {"noise_sigma": 0.2},
    {"noise_sigma": 0.3},
)
register_difficulties(
    "MultiarmedBandit",
    MultiarmedBandit,
    {"num_bandits": 10, "time_limit": 200},
    {"num_bandits": 20, "time_limit": 400},
    {"num_bandits": 30, "time_limit": 600},
)
register_difficulties("Battleship", Battleship, {"board_size": 8}, {"board_size": 10}, {"board_size": 12})
register_difficulties(
    "MineSweeper",
    MineSweeper,
    {"rows": 4, "columns": 4, "mines": 2},
    {"rows": 6, "columns": 6, "mines": 6},
    {"rows": 8, "columns": 8, "mines": 10},
)
register_difficulties("LabyrinthEscape", LabyrinthEscape, {"cells": 5}, {"cells": 7}, {"cells": 9})
register_difficulties("LabyrinthExplore", LabyrinthExplore, {"cells": 5}, {"cells": 7}, {"cells": 9})
