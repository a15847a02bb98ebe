"""Models of sequences behind one call: specs build them, and `SequenceNetwork` puts them under a problem's head."""

from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec, last_of
from recurrent_rl.sequence.models.bidirectional import Bidirectional
from recurrent_rl.sequence.models.conv_gru import ConvGRU, FrameNetwork
from recurrent_rl.sequence.models.decoding import Decoded
from recurrent_rl.sequence.models.encoder_decoder import EncoderDecoder, EncoderDecoderNetwork
from recurrent_rl.sequence.models.floors import Bag, PerStep
from recurrent_rl.sequence.models.inputs import Inputs
from recurrent_rl.sequence.models.network import SequenceNetwork
from recurrent_rl.sequence.models.recurrent import Recurrent
from recurrent_rl.sequence.models.tcn import TCN
from recurrent_rl.sequence.models.transformer import Transformer
from recurrent_rl.sequence.models.width import count_parameters, match_width
from recurrent_rl.sequence.models.window import WindowedMLP

__all__ = [
    "TCN", "Bag", "Bidirectional", "ConvGRU", "Decoded", "EncoderDecoder", "EncoderDecoderNetwork", "FrameNetwork",
    "Inputs", "PerStep", "Recurrent", "SequenceModel", "SequenceNetwork", "SequenceSpec", "Transformer", "WindowedMLP",
    "count_parameters", "last_of", "match_width",
]  # fmt: skip
