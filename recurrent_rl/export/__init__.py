"""Take a policy anywhere: NumPy, ONNX, torch.export, safetensors and sb3-contrib files, and agents that keep their state."""

from recurrent_rl.export.agent import load_agent
from recurrent_rl.export.card import Card
from recurrent_rl.export.exportable import Exportable, exportable
from recurrent_rl.export.features import PolicyFeatures
from recurrent_rl.export.numpy_agent import Agent, AgentFileError
from recurrent_rl.export.numpy_file import to_numpy
from recurrent_rl.export.onnx_file import to_onnx
from recurrent_rl.export.parity import ParityError
from recurrent_rl.export.players import AgainstPlayers, Player
from recurrent_rl.export.program import UnsupportedError
from recurrent_rl.export.sb3_contrib import from_sb3_contrib, to_sb3_contrib
from recurrent_rl.export.torch_file import to_torch_export
from recurrent_rl.export.warm_start import WarmStart, warm_start
from recurrent_rl.export.weights_file import to_safetensors

__all__ = [
    "AgainstPlayers",
    "Agent",
    "AgentFileError",
    "Card",
    "Exportable",
    "ParityError",
    "Player",
    "PolicyFeatures",
    "UnsupportedError",
    "WarmStart",
    "exportable",
    "from_sb3_contrib",
    "load_agent",
    "to_numpy",
    "to_onnx",
    "to_safetensors",
    "to_sb3_contrib",
    "to_torch_export",
    "warm_start",
]
