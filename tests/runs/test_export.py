"""`recurrent-rl export`: files and cards of a run."""

import pytest

from recurrent_rl.cli import main
from recurrent_rl.export import load_agent
from recurrent_rl.runs.export import card_of_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    options = ["--steps", "512", "--n-envs", "4", "--n-steps", "32", "--memory.hidden-size", "8", "--seed", "3"]
    with pytest.raises(SystemExit) as ended:
        main(["train", "--env", "pomdp_envs/RepeatFirstEasy-v0", "--run", str(path), *options])
    assert ended.value.code == 0
    with pytest.raises(SystemExit):
        main(["evaluate", str(path), "--episodes", "4"])
    return path


def test_a_run_is_exported_with_its_card(run, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["export", str(run), "--to", "numpy", "safetensors", "onnx-int8"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for name in ("policy.npz", "policy.safetensors", "policy.int8.onnx"):
        assert name in said
        agent = load_agent(run / name)
        assert agent.act(agent.header["observation_space"]["n"] - 1) in range(agent.action_space["n"])
    card = (run / "policy.npz.md").read_text()
    for words in (
        "pomdp_envs/RepeatFirstEasy-v0",
        "GRU(hidden_size=8",
        "| seed 3, likeliest actions |",
        "mean of 4 episodes",
        "--memory.hidden_size=8",
    ):
        assert words in card


def test_what_is_no_run_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["export", str(tmp_path)])
    assert ended.value.code == 2
    assert "is not a run" in capsys.readouterr().err


def test_no_form_is_told_and_a_suffix_is_not_doubled(run, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["export", str(run), "--to"])
    assert ended.value.code == 2
    assert "Name a form" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["export", str(run), "--path", str(tmp_path / "mine.npz")])
    assert ended.value.code == 0
    assert (tmp_path / "mine.npz").exists()


def test_a_score_of_earlier_steps_is_not_on_the_card(run):
    told = run / "evaluation.json"
    content = told.read_text()
    told.write_text(content.replace('"steps": 512', '"steps": 100'))
    assert card_of_run(run).scores == {}
    told.write_text(content)
    assert list(card_of_run(run).scores) == ["seed 3, likeliest actions"]
