"""One to many: a model goes on with a prompt by what it says of the next step, again and again."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Array, Batch
from recurrent_rl.sequence.models.base import evaluating
from recurrent_rl.sequence.problems import StepProblem
from recurrent_rl.sequence.sampling import Sampling


@dataclass(frozen=True)
class Generated:
    """What was drawn.

    Args:
        steps: As inputs: symbols [L, B] int64, or vectors [L, B, F].
        state: After all but the last step drawn; with that one as the prompt, generation goes on. None of a model that
            carries none.
    """

    steps: Tensor
    state: State | None


@torch.no_grad()
def generate(
    network: nn.Module,
    prompt: Tensor | Array,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    *,
    generator: torch.Generator | None = None,
    state: State | None = None,
) -> Generated:
    """Return how B sequences go on; columns are drawn independently of each other.

    A recurrent model reads each step once. One without a state reads all again for each step, which takes time that grows
    with the square of the length.

        prompt = torch.from_numpy(symbols).unsqueeze(1).expand(-1, 5)          # [T, 5]: five continuations of one prompt
        more = generate(network, prompt, 200, temperature=0.7, top_k=20).steps

    Args:
        network: A `SequenceNetwork`, `FrameNetwork` or `HMMNetwork` of the next symbol, chord or frame. It is read in
            evaluation mode.
        prompt: Inputs of one length: symbols [T, B] int64, or vectors [T, B, F]: notes of 0 and 1, or what
            `NextFrame.read` makes of frames. At least one step and one sequence; an array will do.
        length: Steps to draw, L.
        temperature: See `Sampling`, as the next two.
        top_k: Of symbols, or of a mixture's chords.
        generator: Of the draws.
        state: Of an earlier call, to go on after what it read; None begins.

    Raises:
        ValueError: The network is of another problem, there is no prompt or no length, inputs that are not what the problem
            is about, a state for a model that carries none, or temperature or top_k is out of range.
    """
    sampling = Sampling(temperature=temperature, top_k=top_k, generator=generator)
    problem = getattr(network, "problem", None)
    if not isinstance(problem, StepProblem):
        raise ValueError(f"A network of the next step is needed; {type(network).__name__} is of {problem}.")
    known = torch.as_tensor(prompt, device=next(network.parameters()).device)
    if known.dim() < 2 or min(known.shape[:2]) < 1 or length < 1:
        raise ValueError(
            f"A prompt [T, B, ...] and a length of at least 1 are needed, not {list(known.shape)}, {length}."
        )
    problem.require_inputs(known)
    drawn, read = [], known
    with evaluating(network):
        for _ in range(length):
            said, leaving = network(_whole(read), state)
            drawn.append(problem.draw(said[-1], read[-1], sampling))
            if leaving is None:
                known = read = torch.cat([known, drawn[-1].unsqueeze(0)])
            else:
                read, state = drawn[-1].unsqueeze(0), leaving
    return Generated(torch.stack(drawn), state)


def _whole(inputs: Tensor) -> Batch:
    """Return a batch of sequences that are all as long as each other."""
    return Batch(inputs, torch.full((inputs.shape[1],), len(inputs)))
