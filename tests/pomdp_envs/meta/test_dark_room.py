import gymnasium as gym
import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.meta import DarkRoom
from pomdp_envs.meta.dark_room import DOWN, LEFT, RIGHT, STAY, UP
from pomdp_envs.oracles.dark_room import DarkRoomOracle, pinwheel, spiral
from pomdp_envs.players import play


def with_goal(env: SingleEnv, goal: int) -> None:
    state = env.get_state()
    state["hidden"][0, 0] = goal
    env.set_state(state)


def returns_over_all_goals(dynamics: DarkRoom) -> np.ndarray:
    """The oracle's return for every goal, in the order of `dynamics.goals`."""
    goals = dynamics.goals
    env = BatchedEnv(dynamics, len(goals))
    player = DarkRoomOracle(dynamics, len(goals))
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][:, 0] = goals
    env.set_state(state)
    observation, returns = dynamics.observe(state["hidden"].T), np.zeros(len(goals))
    starts, alive = np.ones(len(goals), dtype=bool), np.ones(len(goals), dtype=bool)
    while alive.any():
        observation, rewards, starts, _, _ = env.step(player.act(observation, starts))
        returns += rewards * alive
        alive &= ~starts
    return returns


def test_walls_stop_the_agent_and_it_sees_where_it_stands():
    env = SingleEnv(DarkRoom(size=3, episode_steps=20))
    observation, _ = env.reset(seed=0)
    with_goal(env, 0)
    assert observation[:9].argmax() == 4
    for action, cell in [(UP, 1), (UP, 1), (RIGHT, 2), (RIGHT, 2), (DOWN, 5), (DOWN, 8), (DOWN, 8), (LEFT, 7)]:
        observation, reward, *_ = env.step(action)
        assert observation[:9].tolist() == np.eye(9)[cell].tolist()
        assert observation[9:14].tolist() == np.eye(5)[action].tolist()
        assert reward == 0
    assert env.step(STAY)[0][:9].argmax() == 7


def test_the_goal_ends_the_episode_and_the_next_one_starts_at_the_centre_with_the_same_goal():
    env = SingleEnv(DarkRoom(size=3, episode_steps=4, episodes=2))
    env.reset(seed=0)
    with_goal(env, 1)
    observation, reward, terminated, _, _ = env.step(UP)
    assert (reward, terminated) == (1.0, False)
    assert observation[:9].argmax() == 4
    assert observation[-2:].tolist() == [1, 1]
    observation, reward, terminated, truncated, _ = env.step(UP)
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert observation[:9].argmax() == 1


def test_where_the_goal_does_not_end_the_episode_it_pays_at_every_step():
    env = SingleEnv(DarkRoom(size=3, episode_steps=4, episodes=1, ends_at_goal=False))
    env.reset(seed=0)
    with_goal(env, 1)
    steps = [env.step(action)[1:3] for action in (UP, STAY, DOWN, UP)]
    assert steps == [(1.0, False), (1.0, False), (0.0, False), (1.0, True)]


def test_all_cells_but_the_centre_are_equally_likely_to_be_the_goal():
    env = BatchedEnv(DarkRoom(size=5), 24_000)
    env.reset(seed=0)
    counts = np.bincount(env.hidden_state()[:, 0].astype(int), minlength=25)
    assert counts[12] == 0
    others = np.delete(counts, 12)
    assert ((others - 1000) ** 2 / 1000).sum() < 55  # chi-square with 23 degrees: P < 0.001


@pytest.mark.parametrize("size", [3, 5, 9, 17])
def test_goals_are_trained_on_or_held_out_and_never_both(size):
    sets = {tasks: DarkRoom(size=size, tasks=tasks).goals for tasks in ("all", "train", "held-out")}
    assert not set(sets["train"]) & set(sets["held-out"])
    assert sorted([*sets["train"], *sets["held-out"]]) == sorted(sets["all"])
    assert len(sets["held-out"]) == (size**2 - 1) // 5
    for tasks in ("train", "held-out"):
        env = gym.make_vec("pomdp_envs/DarkRoom-v0", num_envs=5000, size=size, tasks=tasks).unwrapped
        env.reset(seed=0)
        assert set(env.hidden_state()[:, 0].astype(int)) == set(sets[tasks])


@pytest.mark.parametrize("size", [3, 5, 9, 11])
@pytest.mark.parametrize("order", [spiral, pinwheel])
def test_a_sweep_visits_every_cell_but_the_centre_once_by_single_steps(order, size):
    cells = order(size)
    assert sorted([*cells, size**2 // 2]) == list(range(size**2))
    legs = [cells] if order is spiral else np.reshape(cells, (4, -1)).tolist()
    for leg in legs:
        down, right = np.divmod([size**2 // 2, *leg], size)
        np.testing.assert_array_equal(np.abs(np.diff(down)) + np.abs(np.diff(right)), 1)


@pytest.mark.parametrize("ends_at_goal", [True, False])
@pytest.mark.parametrize(("size", "steps"), [(3, 2), (3, 8), (5, 6), (5, 24), (5, 30), (9, 20), (9, 80)])
@pytest.mark.parametrize("episodes", [1, 3, 6])
def test_the_oracle_reaches_the_stated_optimum_exactly(size, steps, episodes, ends_at_goal):
    dynamics = DarkRoom(size, steps, episodes, ends_at_goal)
    mean = returns_over_all_goals(dynamics).mean()
    if dynamics.optimal_return is None:
        assert not ends_at_goal
        assert steps < size**2 - 1
    else:
        assert mean == pytest.approx(dynamics.optimal_return, abs=1e-12)


def best_by_search(dynamics: DarkRoom) -> float:
    """The best return over all searches of a 3 x 3 room, by trying every plan of walks (as long as no goal is found)."""
    size, steps, episodes = dynamics.size, dynamics.episode_steps, dynamics.episodes
    apart = [abs(cell // size - 1) + abs(cell % size - 1) for cell in range(9)]

    def gain(episode: int, step: int, cell: int) -> int:
        later = episodes - episode
        if dynamics.ends_at_goal:
            return 1 + later * (apart[cell] <= steps)
        return steps - step + 1 + later * max(steps + 1 - apart[cell], 0)

    best = 0.0
    stack = [(1, 0, 4, frozenset([4]), 0)]
    seen: dict[tuple, int] = {}
    while stack:
        episode, step, cell, known, total = stack.pop()
        best = max(best, total)
        if step == steps:
            episode, step, cell = episode + 1, 0, 4
        if episode > episodes or seen.get((episode, step, cell, known), -1) >= total:
            continue
        seen[episode, step, cell, known] = total
        down, right = divmod(cell, size)
        for i, j in ((down - 1, right), (down + 1, right), (down, right - 1), (down, right + 1)):
            if 0 <= i < size and 0 <= j < size:
                following = i * size + j
                found = 0 if following in known else gain(episode, step + 1, following)
                stack.append((episode, step + 1, following, known | {following}, total + found))
    return best / 8


@pytest.mark.parametrize(
    ("steps", "episodes", "ends_at_goal"),
    [(2, 2, True), (2, 4, True), (2, 6, True), (8, 1, True), (8, 2, False), (9, 2, False), (8, 1, False)],
)
def test_no_search_of_a_small_room_beats_the_stated_optimum(steps, episodes, ends_at_goal):
    dynamics = DarkRoom(3, steps, episodes, ends_at_goal)
    assert best_by_search(dynamics) == pytest.approx(dynamics.optimal_return, abs=1e-12)


@pytest.mark.parametrize("tasks", ["train", "held-out"])
def test_the_oracle_finds_every_goal_of_both_sets_and_their_optimum_is_not_stated(tasks):
    dynamics = DarkRoom(tasks=tasks)
    assert dynamics.optimal_return is None
    returns = play(BatchedEnv(dynamics, 256), DarkRoomOracle(dynamics, 256), seed=0)
    assert returns.min() >= 5  # found in the fourth of eight episodes at the latest


def test_pictures_and_text_show_the_agent_and_the_goal():
    env = SingleEnv(DarkRoom(size=3), render_mode="ansi")
    env.reset(seed=0)
    with_goal(env, 2)
    assert env.render() == "episode 1 of 8, step 0\n..G\n.@.\n..."
    picture = env.dynamics.picture(env.hidden_state())
    assert picture.shape == (84, 84, 3)
    assert len({tuple(picture[28 * i + 9, 28 * j + 9]) for i in range(3) for j in range(3)}) == 3


def test_wrong_arguments_are_refused():
    for size in (4, 8):
        with pytest.raises(ValueError, match="size must be odd"):
            DarkRoom(size=size)
    with pytest.raises(ValueError, match="size must be an integer of at least 3"):
        DarkRoom(size=1)
    with pytest.raises(ValueError, match="tasks must be one of"):
        DarkRoom(tasks="test")
