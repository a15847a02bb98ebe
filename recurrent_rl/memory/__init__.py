"""Memories behind one contract: specs build them, and state goes in and comes out."""

from recurrent_rl.memory.attention import Attention
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.belief import BeliefFilter
from recurrent_rl.memory.compose import Dense, Normed, Residual, Stack
from recurrent_rl.memory.controls import FrameWindow, NoMemory
from recurrent_rl.memory.delta import DeltaNet, FastWeights
from recurrent_rl.memory.external import External
from recurrent_rl.memory.ffm import FFM
from recurrent_rl.memory.gtrxl import GTrXL
from recurrent_rl.memory.indrnn import IndRNN
from recurrent_rl.memory.lmu import LMU
from recurrent_rl.memory.lru import LRU
from recurrent_rl.memory.min_rnn import MinGRU, MinLSTM
from recurrent_rl.memory.recurrent import GRU, LSTM, RNN
from recurrent_rl.memory.s5 import S5
from recurrent_rl.memory.selective_ssm import SelectiveSSM
from recurrent_rl.memory.xlstm import MLSTM, SLSTM, XLSTM

__all__ = [
    "FFM", "GRU", "LMU", "LRU", "LSTM", "MLSTM", "RNN", "S5", "SLSTM", "XLSTM",
    "Attention", "BeliefFilter", "DeltaNet", "Dense", "External", "FastWeights", "FrameWindow", "GTrXL", "IndRNN", "Memory",
    "MemorySpec", "MinGRU", "MinLSTM", "NoMemory", "Normed", "Residual", "SelectiveSSM", "Stack", "State",
]  # fmt: skip
