"""Find a goal that cannot be seen, and come back to it."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import checked_count
from pomdp_envs.meta.trials import TrialDynamics
from pomdp_envs.random import mix

UP, RIGHT, DOWN, LEFT, STAY = range(5)
_DOWN_BY, _RIGHT_BY = np.array([-1, 0, 1, 0, 0]), np.array([0, 1, 0, -1, 0])
HELD_OUT_SHARE = 5  # one goal in so many
_TILE = 28  # pixels
_FLOOR, _GOAL, _AGENT = (40, 40, 48), (80, 200, 120), (240, 200, 60)


class DarkRoom(TrialDynamics):
    """A square room with a hidden goal, which stays for the whole trial; the agent sees only where it stands.

    Action space: Discrete(5): 0 up, 1 right, 2 down, 3 left, 4 stay. Walking into a wall is standing still.
    Observation space: Box(float32, (size^2 + 7,)): the agent's cell one-hot (row by row), the previous action one-hot, the
        previous reward, and whether that step ended an episode; the last three are 0 at the start of a trial.
    Start: every episode starts at the centre; all other cells are equally likely to be the goal of the trial.
    Reward: 1 for a step after which the agent is at the goal, otherwise 0.
    End: an episode is over at the goal (unless `ends_at_goal` is False) or after `episode_steps` steps; a trial terminates
        after `episodes` of them. It is never truncated.
    Hidden state: [the goal's cell, the agent's cell, steps in this episode, episodes that have ended, ended, previous
        action, previous reward], float64.

    The best return, where it is known. A step shows at most one new cell, so e episodes find at most e episode_steps goals,
    and no policy beats one that finds as many and walks to the goal in every later episode. With m = (size - 1) / 2 there
    are two such. Where episode_steps is m (m + 1), the room but for its centre is four rectangles of m x (m + 1), laid
    around it like the blades of a pinwheel, and each episode walks all of one. Where it is size^2 - 1 or more, a spiral
    around the centre finds every goal in the first episode. A goal that episode e finds earns episodes + 1 - e; the
    return is the mean over the goals: 6.5 for size 9, 20 steps and 8 episodes. Where an episode goes on at the goal, the
    spiral is still the best: found after t = 1 .. size^2 - 1 steps and d steps away, a goal earns episode_steps + 1 - t in
    the first episode and episode_steps + 1 - d in each of the others. For other lengths, and where some goals are held out
    (a learner might know which), the optimum is not known.

    A policy without memory can walk one blade in every episode and finds a quarter of the goals (a return of 2 by default).
    The best of those is not known, since the previous action and reward tell a little of the episode before.

    Args:
        size: An odd number of rows and columns, 9 unless given.
        episode_steps: 20 unless given.
        episodes: 8 unless given.
        ends_at_goal: False pays 1 for every step at the goal until `episode_steps` are over, as Laskin et al.'s "Dark Room"
            does; True, the default, pays once per episode, as their "Dark Room Hard" does.
        tasks: "all", "train" or "held-out": which goals are drawn. A fixed fifth of the cells is held out.

    Raises:
        ValueError: an even size or one below 3, no positive integer, or an unknown `tasks`.

    Source: Laskin et al. (2022), "In-context reinforcement learning with algorithm distillation" (the room, the actions, 20
        steps); Zintgraf et al. (2020), "VariBAD", has a similar one.

    Versions: v0, the first.
    """

    task_size = world_size = 1
    task_draws = 1
    draws_pictures = True

    def __init__(
        self,
        size: int = 9,
        episode_steps: int = 20,
        episodes: int = 8,
        ends_at_goal: bool = True,
        tasks: str = "all",
    ) -> None:
        self.size = checked_count("size", size, 3)
        if self.size % 2 == 0:
            raise ValueError(f"size must be odd, so that the room has a centre, not {size}")
        self.cells = self.size**2
        self.centre = self.cells // 2
        if not isinstance(ends_at_goal, bool):
            raise ValueError(f"ends_at_goal must be True or False, not {ends_at_goal!r}")
        self.ends_at_goal = ends_at_goal
        super().__init__(spaces.Discrete(self.cells), spaces.Discrete(5), episodes, episode_steps, tasks)
        self.goals = self._goals()
        self.optimal_return = self._best_return()

    def _goals(self) -> np.ndarray:
        """Return the cells that may be the goal, int64 [n]: `tasks` of them, in an order that looks random."""
        order = mix(np.arange(self.cells, dtype=np.uint64)).argsort()
        order = order[order != self.centre]
        held_out = max(len(order) // HELD_OUT_SHARE, 1)
        return {"all": order, "train": order[held_out:], "held-out": order[:held_out]}[self.tasks]

    def _best_return(self) -> float | None:
        """Return the optimum that the docstring derives, where there is one."""
        goals, blade = self.cells - 1, (self.cells - 1) // 4
        spiral = self.episode_steps >= goals
        if self.tasks != "all" or not (spiral or (self.ends_at_goal and self.episode_steps == blade)):
            return None
        if self.ends_at_goal:
            found_in = 1 + np.arange(goals) // self.episode_steps
            return float(np.maximum(self.episodes + 1 - found_in, 0).mean())
        steps_to_goal = np.abs(np.arange(self.size) - self.size // 2).sum() * 2 * self.size / goals  # in the mean
        first = self.episode_steps + 1 - (goals + 1) / 2
        return float(first + (self.episodes - 1) * (self.episode_steps + 1 - steps_to_goal))

    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the goal."""
        return self.goals[(uniforms * len(self.goals)).astype(np.int64)].astype(np.float64)

    def start(self, task: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return the centre."""
        return np.full((1, task.shape[1]), float(self.centre))

    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Walk."""
        down, right = np.divmod(world[0], self.size)
        down = np.clip(down + _DOWN_BY[action], 0, self.size - 1)
        right = np.clip(right + _RIGHT_BY[action], 0, self.size - 1)
        world[0] = down * self.size + right
        at_goal = world[0] == task[0]
        return world, at_goal.astype(np.float64), at_goal & self.ends_at_goal

    def see(self, task: np.ndarray, world: np.ndarray) -> np.ndarray:
        """Show the agent's cell, int64 [B]."""
        return world[0].astype(np.int64)

    def sketch(self, task: np.ndarray, world: np.ndarray) -> str:
        """Draw the room with the agent (@) and the goal (G)."""
        room = np.full(self.cells, ".")
        room[int(task[0])] = "G"
        room[int(world[0])] = "@"
        return "\n".join("".join(line) for line in room.reshape(self.size, self.size))

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw the room with the agent and the goal as uint8 [28 size, 28 size, 3]."""
        room = np.full((self.cells, 3), _FLOOR, dtype=np.uint8)
        room[int(state[0])], room[int(state[1])] = _GOAL, _AGENT
        picture = room.reshape(self.size, self.size, 3).repeat(_TILE, axis=0).repeat(_TILE, axis=1)
        picture[::_TILE], picture[:, ::_TILE] = 0, 0
        return picture
