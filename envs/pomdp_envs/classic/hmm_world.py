"""Guess the hidden state of a Markov chain from noisy observations, as well as the optimal filter does."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from gymnasium import spaces

from pomdp_envs.classic.hmm_optimum import best_guesses
from pomdp_envs.dynamics import Dynamics, checked_count

Matrix = Sequence[Sequence[float]] | np.ndarray
RING = ((0.95, 0.05, 0.0), (0.0, 0.95, 0.05), (0.05, 0.0, 0.95))
BLURRED = ((0.7, 0.15, 0.15), (0.15, 0.7, 0.15), (0.15, 0.15, 0.7))
STEP, HIDDEN, SEEN, BELIEF = range(4)  # rows of the state; the belief goes on to the end


class HMMWorld(Dynamics):
    """A hidden Markov chain with known matrices moves on its own; the action is a guess of its state.

    What the id makes, single or batched (`hmm_views`), has `belief()`: the exact probabilities of the hidden states given
    the episode's observations so far.

    Action space: Discrete(K): the guessed state.
    Observation space: Discrete(M): a symbol, drawn from the row of `emission` for the hidden state.
    Start: the hidden state is drawn from `start`, and emits the first symbol.
    Reward: 1 / episode_length for the right guess, otherwise 0; of the state that emitted the symbol just seen, or of the
        next one with `next_state`.
    End: terminated after episode_length steps; never truncated.
    Hidden state: [step, hidden state, symbol seen, belief (K entries)], float64. The belief follows from the symbols
        of the episode; it is kept here so that it goes wherever the state goes.

    The best policy guesses the most probable state of the belief, b'(j) ~ emission[j, symbol] sum_i b(i)
    transition[i, j]; `optimal_return`, its mean return, is computed when first asked for, see `best_guesses` (None where
    the beliefs are too many). The best without memory guesses the state that most often goes with the symbol seen, over
    the whole episode; its return follows exactly from the marginals of the chain. Without arguments the chain has three
    states in a ring, stays with probability 0.95 and moves on otherwise; 0.7 of the symbols are right and the others
    equally likely: the best is 0.849, without memory it is 0.7. (The reward tells whether the guess was right: with
    PreviousActionReward an agent knows more than the filter.)

    Args:
        transition: [K, K], probability of the next state (column) given the state (row).
        emission: [K, M], probability of the symbol (column) given the state (row).
        start: [K], of the first state; uniform unless given.
        episode_length: Guesses in an episode.
        next_state: Whether the next state is to be guessed, rather than the present one.

    Raises:
        ValueError: a matrix with a wrong shape, a negative entry, or a row that does not sum to 1; or no positive length.

    Source: Rabiner (1989), "A tutorial on hidden Markov models and selected applications in speech recognition" (the
        forward recursion); the task is this library's.

    Versions: v0, the first.
    """

    time_limit = None
    episode_length: int
    initial_draws = 2
    transition_draws = 2
    memory_span = "the whole episode, fading"

    def __init__(
        self,
        transition: Matrix = RING,
        emission: Matrix = BLURRED,
        start: Sequence[float] | np.ndarray | None = None,
        episode_length: int = 100,
        next_state: bool = False,
    ) -> None:
        self.chain = _checked_rows("transition", transition)
        states = self.states = len(self.chain)
        if self.chain.shape != (states, states):
            raise ValueError(f"transition must be square, not {self.chain.shape}")
        self.emission = _checked_rows("emission", emission)
        if len(self.emission) != states:
            raise ValueError(f"emission needs a row for each of the {states} states, not {len(self.emission)}")
        first = np.full(states, 1 / states) if start is None else np.asarray(start)
        if first.shape != (states,):
            raise ValueError(f"start needs the shape ({states},), not {first.shape}")
        self.start = _checked_rows("start", first[None])[0]
        self.episode_length = checked_count("episode_length", episode_length)
        self.next_state = bool(next_state)
        self.observation_space = spaces.Discrete(self.emission.shape[1])
        self.action_space = spaces.Discrete(states)
        self._start_steps, self._chain_steps, self._emission_steps = (
            _cumulative(rows) for rows in (self.start[None], self.chain, self.emission)
        )
        self._likelihood = np.ascontiguousarray(self.emission.T)  # [M, K]
        self.memoryless_return = float(self.guess_table().max(axis=1).sum())

    @cached_property
    def optimal_return(self) -> float | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The mean return of guessing by the belief; computed once, None where that takes too long."""
        return best_guesses(self.start, self.chain, self.emission, self.episode_length, self.next_state)

    def guess_table(self) -> np.ndarray:
        """Return the expected reward [M, K] of an episode from guessing each state whenever a symbol is seen."""
        marginal, total = self.start, np.zeros(self.states)
        for _ in range(self.episode_length):
            total = total + marginal
            marginal = marginal @ self.chain
        joint = self.emission.T * total / self.episode_length  # [M, K]: of symbol and state
        return joint @ self.chain if self.next_state else joint

    def predicted(self, belief: np.ndarray) -> np.ndarray:
        """Carry beliefs [K, B] over one step of the chain."""
        # Summed state by state, since a matrix product may round differently in another batch.
        predicted = self.chain[0][:, None] * belief[0]
        for i in range(1, self.states):
            predicted += self.chain[i][:, None] * belief[i]
        return predicted

    def corrected(self, belief: np.ndarray, symbol: np.ndarray) -> np.ndarray:
        """Condition beliefs [K, B] on the symbols [B] that were seen."""
        corrected = belief * self._likelihood[symbol].T
        total = corrected[0].copy()  # state by state too: `sum` goes through a single column in another order
        for i in range(1, self.states):
            total += corrected[i]
        corrected /= total
        return corrected

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw a state and its symbol: float64 [3 + K, B]."""
        columns = uniforms.shape[1]
        hidden = _draw(self._start_steps, np.zeros(columns, dtype=np.int64), uniforms[0])
        symbol = _draw(self._emission_steps, hidden, uniforms[1])
        belief = self.corrected(np.repeat(self.start[:, None], columns, axis=1), symbol)
        return np.concatenate([np.stack([np.zeros(columns), hidden, symbol]), belief])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move the chain, emit a symbol and judge the guess."""
        before = state[HIDDEN].astype(np.int64)
        hidden = _draw(self._chain_steps, before, uniforms[0])
        symbol = _draw(self._emission_steps, hidden, uniforms[1])
        reward = (action == (hidden if self.next_state else before)) / self.episode_length
        state[STEP] += 1
        state[HIDDEN] = hidden
        state[SEEN] = symbol
        state[BELIEF:] = self.corrected(self.predicted(state[BELIEF:]), symbol)
        return state, reward, state[STEP] == self.episode_length

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the symbol, int64 [B]."""
        return state[SEEN].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Write the hidden state, the symbol and the belief."""
        belief = " ".join(f"{probability:.2f}" for probability in state[BELIEF:])
        return f"step {state[STEP]:.0f}: state {state[HIDDEN]:.0f}, symbol {state[SEEN]:.0f}, belief {belief}"


def _checked_rows(name: str, rows: Matrix) -> np.ndarray:
    """Return a matrix whose rows are distributions, float64.

    Raises:
        ValueError: it is none.
    """
    matrix = np.array(rows, dtype=np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must be a matrix, not an array of shape {matrix.shape}")
    if not (matrix >= 0).all() or np.abs(matrix.sum(axis=1) - 1).max() > 1e-6:
        raise ValueError(f"each row of {name} must be probabilities that sum to 1, not {matrix.tolist()}")
    return matrix / matrix.sum(axis=1, keepdims=True)


def _cumulative(rows: np.ndarray) -> np.ndarray:
    """Return cumulative probabilities [columns - 1, rows] that are exactly 1 after the last one that is not 0."""
    sums = rows.cumsum(axis=1)
    return np.ascontiguousarray((sums / sums[:, -1:])[:, :-1].T)


def _draw(cumulative: np.ndarray, given: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Draw from the distributions numbered `given` [B] by the uniform numbers [B]: int64 [B]."""
    return (uniform >= cumulative[:, given]).sum(axis=0)
