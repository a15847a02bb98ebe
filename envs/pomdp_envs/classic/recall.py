"""Reproduce a list of items in order after a stretch of distractors."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count


class Recall(Dynamics):
    """Items are shown one a step, then distractors, then a cue at which the agent names the items in order.

    Action space: Discrete(num_symbols): an item. Only those at cues count.
    Observation space: Discrete(num_symbols + num_distractors + 1): an item (below num_symbols), a distractor (the
        next num_distractors numbers) or the cue (the last number), the same at each of the answers.
    Start: every item is drawn from the num_symbols symbols, equally likely and with repetition.
    Reward: 1 / num_items for each item named at its place, otherwise 0.
    End: terminated after the last answer, after 2 num_items + delay steps; never truncated.
    Hidden state: [step, distractor (drawn at every step, seen in the delay), the items], int64.

    The best return is 1. Without memory it is 1 / num_symbols whatever the policy does: all answers are given on the same
    observation, of which the items are independent.

    Args:
        num_items: How many items are to be remembered.
        delay: How many distractors are shown between the last item and the first cue.
        num_symbols: Different items.
        num_distractors: Different distractors; with 1 the delay is blank.

    Raises:
        ValueError: a negative delay, fewer than 2 symbols, no items or distractors, or one that is no integer.

    Source: this library's; after the delayed copy task of Hochreiter and Schmidhuber (1997), "Long short-term memory", and
        Arjovsky, Shah and Bengio (2016), "Unitary evolution recurrent neural networks".

    Versions: v0, the first.
    """

    time_limit = None
    episode_length: int
    transition_draws = 1
    optimal_return = 1.0

    def __init__(self, num_items: int = 3, delay: int = 10, num_symbols: int = 4, num_distractors: int = 4) -> None:
        self.num_items = checked_count("num_items", num_items)
        self.delay = checked_count("delay", delay, least=0)
        self.num_symbols = checked_count("num_symbols", num_symbols, least=2)
        self.num_distractors = checked_count("num_distractors", num_distractors)
        self.initial_draws = self.num_items
        self.cue = self.num_symbols + self.num_distractors
        self.first_cue = self.num_items + self.delay  # its step
        self.episode_length = self.first_cue + self.num_items
        self.observation_space = spaces.Discrete(self.cue + 1)
        self.action_space = spaces.Discrete(self.num_symbols)
        self.memory_span = f"{self.first_cue} steps"
        self.memoryless_return = 1 / self.num_symbols

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the items: int64 [num_items + 2, B]."""
        state = np.zeros((self.num_items + 2, uniforms.shape[1]), dtype=np.int64)
        state[2:] = uniforms * self.num_symbols
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Judge an answer, count the step and draw a distractor."""
        step = state[0]
        answers = step >= self.first_cue
        asked = state[2 + (step - self.first_cue) * answers, np.arange(len(action))]
        reward = (answers & (action == asked)) / self.num_items
        step += 1
        state[1] = uniforms[0] * self.num_distractors
        return state, reward, step == self.episode_length

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show an item, a distractor or the cue, int64 [B]."""
        step, distractor = state[:2]
        items = state[2 + np.minimum(step, self.num_items - 1), np.arange(len(step))]
        seen = np.where(step < self.num_items, items, self.num_symbols + distractor)
        seen[step >= self.first_cue] = self.cue
        return seen

    def text(self, state: np.ndarray) -> str:
        """Write the items, and the step by its stretch."""
        step = int(state[0])
        if step < self.num_items:
            stretch = f"item {step + 1} is shown"
        elif step < self.first_cue:
            stretch = f"distractor {state[1]} is shown"
        else:
            stretch = f"answer {min(step - self.first_cue + 1, self.num_items)} is asked for"
        return f"items {' '.join(str(item) for item in state[2:])}: {stretch}"
