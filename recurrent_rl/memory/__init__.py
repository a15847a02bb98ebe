"""Memories behind one contract: specs build them, and state goes in and comes out."""

from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.compose import Normed, Residual, Stack
from recurrent_rl.memory.controls import FrameWindow, NoMemory
from recurrent_rl.memory.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "FrameWindow",
    "Memory",
    "MemorySpec",
    "NoMemory",
    "Normed",
    "Residual",
    "Stack",
    "State",
]
