"""A whole network for a problem, of which the model is the only part that varies."""

from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Batch
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec, require_lengths
from recurrent_rl.sequence.models.inputs import Inputs
from recurrent_rl.sequence.problems import Problem


class SequenceNetwork(nn.Module):
    """Inputs -> embedding -> variational dropout -> model -> the problem's head, at each step or on the sequence's summary.

    Everything but the model is the same for all models.

    Args:
        spec: Of the model.
        inputs: What the inputs are.
        problem: What the head gives.

    Raises:
        ValueError: The problem is causal and the model looks ahead.
    """

    def __init__(self, spec: SequenceSpec, inputs: Inputs, problem: Problem) -> None:
        super().__init__()
        self.problem, self.inputs = problem, inputs.build()
        self.model: SequenceModel = spec.build(inputs.width)
        if problem.causal and not self.model.causal:
            raise ValueError(
                f"{problem} is causal, and {spec} would see the answer ahead. Take a model that does not look ahead: "
                "Recurrent, Bag, PerStep, Transformer or TCN with causal=True, or WindowedMLP with centred=False."
            )
        self.head = problem.head(self.model.output_size)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch.

        Args:
            batch: On the network's device.
            state: What a call before returned, to go on with the same streams; None begins. A new dropout mask is drawn
                for each call.

        Returns:
            [T, B, K] for each step or [B, K] for each sequence; and the state to go on with, None where the model cannot.

        Raises:
            ValueError: A sequence is empty, or the inputs are not what they should be.
        """
        require_lengths(batch.lengths, len(batch.inputs))
        outputs, state = self.model(self.inputs(batch.inputs), batch.lengths, state)
        said = outputs if self.problem.per_step else self.model.summary(outputs, batch.lengths)
        return self.head(said), state
