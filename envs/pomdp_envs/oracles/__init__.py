"""Who plays each world best, with memory and without."""

from typing import NamedTuple

from pomdp_envs.classic import HMMWorld, MemoryChain, Recall, Tiger, TMaze, TMazeDeadline
from pomdp_envs.control import CartPoleNoVel, MountainCarContinuousNoVel, PendulumNoVel
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.meta import BernoulliBandit, DarkRoom, GaussianBandit, TabularMDP
from pomdp_envs.oracles.bandit import BanditMemoryless, BanditOracle
from pomdp_envs.oracles.battleship import BattleshipMemoryless, BattleshipOracle
from pomdp_envs.oracles.bernoulli_bandit import BernoulliBanditMemoryless, BernoulliBanditOracle
from pomdp_envs.oracles.cards import (
    CountRecallMemoryless,
    CountRecallOracle,
    HigherLowerMemoryless,
    HigherLowerOracle,
)
from pomdp_envs.oracles.cartpole import (
    CartPoleMemoryless,
    CartPoleOracle,
    NoisyCartPoleOracle,
    VelocityCartPoleMemoryless,
    VelocityCartPoleOracle,
)
from pomdp_envs.oracles.concentration import ConcentrationMemoryless, ConcentrationOracle
from pomdp_envs.oracles.dark_room import DarkRoomMemoryless, DarkRoomOracle
from pomdp_envs.oracles.gaussian_bandit import GaussianBanditMemoryless, GaussianBanditOracle
from pomdp_envs.oracles.hmm_world import HMMMemoryless, HMMOracle
from pomdp_envs.oracles.labyrinth import EscapeOracle, ExploreOracle, WallFollower
from pomdp_envs.oracles.memory_chain import MemoryChainMemoryless, MemoryChainOracle
from pomdp_envs.oracles.minesweeper import MineSweeperMemoryless, MineSweeperOracle
from pomdp_envs.oracles.mountain_car import MountainCarMemoryless, MountainCarOracle
from pomdp_envs.oracles.pendulum import NoisyPendulumOracle, PendulumMemoryless, PendulumOracle
from pomdp_envs.oracles.recall import RecallMemoryless, RecallOracle
from pomdp_envs.oracles.repeat import (
    AutoencodeMemoryless,
    AutoencodeOracle,
    RepeatFirstMemoryless,
    RepeatFirstOracle,
    RepeatPreviousMemoryless,
    RepeatPreviousOracle,
)
from pomdp_envs.oracles.tabular_mdp import TabularMDPMemoryless, TabularMDPOracle
from pomdp_envs.oracles.tiger import TigerMemoryless, TigerOracle
from pomdp_envs.oracles.tmaze import TMazeMemoryless, TMazeOracle
from pomdp_envs.oracles.tmaze_deadline import TMazeDeadlineMemoryless, TMazeDeadlineOracle
from pomdp_envs.players import Player
from pomdp_envs.popgym import (
    Autoencode,
    Battleship,
    Concentration,
    CountRecall,
    HigherLower,
    LabyrinthEscape,
    LabyrinthExplore,
    MineSweeper,
    MultiarmedBandit,
    NoisyPositionOnlyCartPole,
    NoisyPositionOnlyPendulum,
    PositionOnlyCartPole,
    PositionOnlyPendulum,
    RepeatFirst,
    RepeatPrevious,
    VelocityOnlyCartPole,
)

__all__ = ["PLAYERS", "Pair"]


class Pair(NamedTuple):
    """The player that reaches the stated optimum, and the best one that sees the current observation only."""

    oracle: type[Player]
    memoryless: type[Player]


PLAYERS: dict[type[Dynamics], Pair] = {
    BernoulliBandit: Pair(BernoulliBanditOracle, BernoulliBanditMemoryless),
    DarkRoom: Pair(DarkRoomOracle, DarkRoomMemoryless),
    GaussianBandit: Pair(GaussianBanditOracle, GaussianBanditMemoryless),
    TabularMDP: Pair(TabularMDPOracle, TabularMDPMemoryless),
    TMaze: Pair(TMazeOracle, TMazeMemoryless),
    TMazeDeadline: Pair(TMazeDeadlineOracle, TMazeDeadlineMemoryless),
    Tiger: Pair(TigerOracle, TigerMemoryless),
    MemoryChain: Pair(MemoryChainOracle, MemoryChainMemoryless),
    Recall: Pair(RecallOracle, RecallMemoryless),
    HMMWorld: Pair(HMMOracle, HMMMemoryless),
    Autoencode: Pair(AutoencodeOracle, AutoencodeMemoryless),
    RepeatFirst: Pair(RepeatFirstOracle, RepeatFirstMemoryless),
    Concentration: Pair(ConcentrationOracle, ConcentrationMemoryless),
    CountRecall: Pair(CountRecallOracle, CountRecallMemoryless),
    HigherLower: Pair(HigherLowerOracle, HigherLowerMemoryless),
    RepeatPrevious: Pair(RepeatPreviousOracle, RepeatPreviousMemoryless),
    CartPoleNoVel: Pair(CartPoleOracle, CartPoleMemoryless),
    PendulumNoVel: Pair(PendulumOracle, PendulumMemoryless),
    MountainCarContinuousNoVel: Pair(MountainCarOracle, MountainCarMemoryless),
    PositionOnlyCartPole: Pair(CartPoleOracle, CartPoleMemoryless),
    VelocityOnlyCartPole: Pair(VelocityCartPoleOracle, VelocityCartPoleMemoryless),
    NoisyPositionOnlyCartPole: Pair(NoisyCartPoleOracle, CartPoleMemoryless),
    PositionOnlyPendulum: Pair(PendulumOracle, PendulumMemoryless),
    NoisyPositionOnlyPendulum: Pair(NoisyPendulumOracle, PendulumMemoryless),
    MultiarmedBandit: Pair(BanditOracle, BanditMemoryless),
    Battleship: Pair(BattleshipOracle, BattleshipMemoryless),
    MineSweeper: Pair(MineSweeperOracle, MineSweeperMemoryless),
    LabyrinthEscape: Pair(EscapeOracle, WallFollower),
    LabyrinthExplore: Pair(ExploreOracle, WallFollower),
}
