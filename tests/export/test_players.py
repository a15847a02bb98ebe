"""Imported agents play PettingZoo games."""

import copy

import numpy as np
import pytest
from gymnasium import spaces

from recurrent_rl.export import AgainstPlayers, Player, exportable
from tests.export.conftest import make

pettingzoo = pytest.importorskip("pettingzoo")


def rps():
    """Rock, paper, scissors, written here: the packages of PettingZoo's own games are not needed."""

    class Game(pettingzoo.ParallelEnv):
        metadata = {"name": "rps"}  # noqa: RUF012
        possible_agents = ["one", "two"]  # noqa: RUF012

        def observation_space(self, agent):
            return spaces.Box(0, 1, (4,))

        def action_space(self, agent):
            return spaces.Discrete(3)

        def reset(self, seed=None, options=None):
            self.agents, self.steps = self.possible_agents[:], 0
            return {name: np.zeros(4, dtype=np.float32) for name in self.agents}, {name: {} for name in self.agents}

        def step(self, actions):
            one, two = actions["one"], actions["two"]
            self.steps += 1
            reward = {0: 0.0, 1: 1.0, 2: -1.0}[int(one - two) % 3]
            names, over = self.agents, self.steps >= 5
            seen = {"one": two, "two": one}
            shown = {name: np.eye(4, dtype=np.float32)[int(seen[name]) + 1] for name in names}
            self.agents = [] if over else names
            return (
                shown, {"one": reward, "two": -reward}, dict.fromkeys(names, over), dict.fromkeys(names, False),
                {name: {} for name in names},
            )  # fmt: skip

    return Game()


@pytest.fixture
def agent():
    return exportable(make(spaces.Box(0, 1, (4,)))).agent()


def test_a_player_takes_part_in_a_parallel_game(agent):
    player, other, game = Player(agent, "two"), agent.twin(), rps()
    for _ in range(2):  # the second game begins without a memory of the first
        observations, _ = game.reset()
        other.reset()
        while game.agents:
            action = player.move(game, observations)
            np.testing.assert_array_equal(action, other.act(observations["two"]))
            np.testing.assert_array_equal(player.agent.parameters["logits"], other.parameters["logits"])
            observations, *_ = game.step({"one": 0, "two": action})
    assert player.move(game, {}) is None


def test_a_game_that_was_left_in_the_middle_is_forgotten(agent):
    from pettingzoo.utils.conversions import parallel_to_aec

    shown = np.eye(4, dtype=np.float32)[1]
    parallel, turns = rps(), parallel_to_aec(rps())
    for begin in (lambda player: player.move(parallel, {"two": shown}), lambda player: player.turn(turns)):
        player = Player(agent, "two")
        first = []
        for _ in range(2):
            parallel.reset()
            turns.reset()
            turns.step(0)
            begin(player)
            first.append(player.agent.parameters["logits"])
            begin(player)
            assert not np.array_equal(player.agent.parameters["logits"], first[-1])
        np.testing.assert_array_equal(*first)


def test_a_copy_of_a_game_counts_its_own_resets(agent):
    player, game = Player(agent, "two"), rps()
    game.reset()
    player.move(game, {"two": np.zeros(4)})
    other = copy.deepcopy(game)
    game.steps = 3
    other.reset()
    assert (game.steps, other.steps) == (3, 0)


def test_a_player_takes_part_in_a_game_of_turns(agent):
    from pettingzoo.utils.conversions import parallel_to_aec

    player, env, moves = Player(agent, "two"), parallel_to_aec(rps()), 0
    env.reset()
    for name in env.agent_iter():
        _, _, terminated, truncated, _ = env.last()
        over = terminated or truncated
        action = player.turn(env) if name == "two" else None if over else 0
        moves += name == "two" and action is not None
        env.step(action)
    assert moves == 5


def test_only_what_is_allowed_is_played(agent):
    observation = np.zeros(4, dtype=np.float32)
    best = int(agent.twin().act(observation))
    mask = np.ones(3, dtype=np.int8)
    mask[best] = 0
    for deterministic in (True, False):
        player = Player(agent, "two", deterministic)
        for _ in range(20):
            assert player.answer({"observation": observation, "action_mask": mask}) != best


def test_a_learner_plays_against_agents(agent):
    from recurrent_rl import RecurrentPPO

    env = AgainstPlayers(rps(), "one", [Player(agent, "two")])
    other = agent.twin()
    observation, _ = env.reset(seed=0)
    seen, steps, over = np.zeros(4, dtype=np.float32), 0, False
    while not over:
        expected = int(other.act(seen))
        observation, reward, over, _, _ = env.step(1)
        assert observation.argmax() == expected + 1
        assert reward == {0: 0.0, 1: 1.0, 2: -1.0}[(1 - expected) % 3]
        seen, steps = np.eye(4, dtype=np.float32)[2], steps + 1
    assert steps == 5
    RecurrentPPO("MlpRecurrentPolicy", env, n_steps=16).learn(32)


def test_a_game_of_turns_is_refused_for_a_learner(agent):
    from pettingzoo.utils.conversions import parallel_to_aec

    with pytest.raises(ValueError, match="aec_to_parallel"):
        AgainstPlayers(parallel_to_aec(rps()), "one", [Player(agent, "two")])


def test_a_player_that_is_missing_or_unknown_is_told(agent):
    with pytest.raises(ValueError, match="two"):
        AgainstPlayers(rps(), "one", [])


def test_a_masked_move_is_what_was_done(agent):
    player = Player(agent, "two")
    observation = np.zeros(4, dtype=np.float32)
    mask = np.zeros(3, dtype=np.int8)
    mask[(int(agent.twin().act(observation)) + 1) % 3] = 1
    played = player.answer({"observation": observation, "action_mask": mask})
    np.testing.assert_array_equal(player.agent.previous_action, [played])


def test_a_policy_that_reads_the_mask_is_shown_it():
    space = spaces.Dict({"observation": spaces.Box(0, 1, (4,)), "action_mask": spaces.MultiBinary(3)})
    player = Player(exportable(make(space)).agent(), "two")
    mask = np.array([0, 0, 1], dtype=np.int8)
    assert player.answer({"observation": np.zeros(4, dtype=np.float32), "action_mask": mask}) == 2
