"""Supervised training: one trainer for every network."""

from recurrent_rl.sequence.training.config import TrainConfig as TrainConfig
from recurrent_rl.sequence.training.evaluate import predict as predict
from recurrent_rl.sequence.training.fit import Fitted as Fitted
from recurrent_rl.sequence.training.fit import Trainer as Trainer
from recurrent_rl.sequence.training.record import Record as Record
from recurrent_rl.sequence.training.record import to_csv as to_csv
from recurrent_rl.sequence.training.record import to_tensorboard as to_tensorboard
