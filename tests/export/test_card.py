"""The card beside an export says what the file is and how it is used."""

import pytest

from recurrent_rl import RecurrentPPO
from recurrent_rl.export import Card, to_numpy, to_torch_export
from recurrent_rl.memory import LRU


def test_a_card_names_what_it_was_told_and_what_the_model_knows(tmp_path):
    model = RecurrentPPO("MlpRecurrentPolicy", "CartPole-v1", memory=LRU(hidden_size=8))
    card = Card(command="python train.py", scores={"seed 0": 471.25, "seed 1": 500.0}, episodes=100)
    text = to_numpy(model, tmp_path / "agent", card).with_name("agent.npz.md").read_text()
    for words in (
        "environment: CartPole-v1", "LRU(hidden_size=8", "Box (4,) float32", "Discrete(2)", "`python train.py`",
        "mean of 100 episodes", "| seed 0 | 471.2 |", "| seed 1 | 500 |", 'load_agent("agent.npz")', "torch ",
    ):  # fmt: skip
        assert words in text


def test_a_card_tells_where_nothing_was_told(tmp_path, policy):
    text = to_torch_export(policy, tmp_path / "agent").with_name("agent.pt2.md").read_text()
    assert "environment: not told" in text
    assert "No score was given." in text
    assert "trust=True" in text


@pytest.mark.parametrize("environment", ["mine", None])
def test_the_environment_told_comes_first(tmp_path, environment):
    model = RecurrentPPO("MlpRecurrentPolicy", "CartPole-v1")
    text = to_numpy(model, tmp_path / "agent", Card(environment=environment)).with_name("agent.npz.md").read_text()
    assert f"environment: {environment or 'CartPole-v1'}" in text
