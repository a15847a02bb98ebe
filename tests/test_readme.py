"""What the README shows is run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recurrent_rl import memory
from recurrent_rl.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SEQUENCE_COMMANDS = [
    "sequence fetch japanese-vowels",
    "sequence run --task japanese-vowels --models gru bag hmm",
    "sequence report --task japanese-vowels",
    "sequence own walks.csv --features x y --target label --models gru hmm",
]


def run_command(words):
    """Run recurrent-rl as the command line does, in this process: importing torch anew takes five seconds."""
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0, words


def test_the_example_runs_as_printed_and_is_short(tmp_path):
    (code,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(code.strip().splitlines()) <= 16
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "policy.zip").exists()


def test_the_commands_are_those_that_exist(tmp_path):
    commands = re.findall(r"^    recurrent-rl (.*)$", README, flags=re.MULTILINE)
    assert commands == [
        "train --env pomdp_envs/CartPoleNoVel-v0 --algo ppo --memory gru",
        "evaluate RUN",
        "train --resume RUN",
        "train --env pomdp_envs/TMaze-v0 --env-kwargs corridor_length=5 --memory lstm --memory.hidden-size 32",
        "export RUN --to numpy onnx",
        *SEQUENCE_COMMANDS,
    ]
    commands, run = commands[:5], str(tmp_path / "run")
    small = ["--steps", "1024", "--n-steps", "32", "--run"]
    for command, extra in zip(
        commands, ([*small, run], ["--episodes", "2"], [], [*small, f"{run}_2"], []), strict=True
    ):
        run_command([*command.replace("RUN", run).split(), *extra])
    (code,) = re.findall(r"<!-- run example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    code = code.replace('"RUN"', repr(run)).replace("n_eval_episodes=50", "n_eval_episodes=2")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\(np.float64\(\d+", done.stdout)
    (code,) = re.findall(r"<!-- export example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    for name in ("policy.npz", "policy.onnx"):
        code_of = code.replace('"RUN/policy.npz"', repr(f"{run}/{name}")) + "\nassert action in (0, 1)\n"
        done = subprocess.run([sys.executable, "-c", code_of], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_sequence_commands_that_need_a_network_are_run_by_the_gate():
    gate = (ROOT / ".ci" / "run").read_text()
    for command in SEQUENCE_COMMANDS[:3]:
        assert f"recurrent-rl {command}\n" in gate


def test_own_sequences_are_compared_as_printed(tmp_path):
    (code,) = re.findall(r"<!-- own example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    assert "steps=200" in code
    (tmp_path / "example.py").write_text(code.replace("steps=200", "steps=20"))
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "| hmm |" in done.stdout
    assert (tmp_path / "runs" / "slopes" / "own.png").exists()


def test_text_is_generated_as_printed(tmp_path):
    (code,) = re.findall(r"<!-- generation example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "sat on the" in done.stdout.splitlines()[-1]


def test_a_csv_file_is_compared_as_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    steps = [f"w{n},{(-1) ** n * (t + n)},{t % 2},{('left', 'right')[n % 2]}" for n in range(30) for t in range(5)]
    (tmp_path / "walks.csv").write_text("\n".join(["sequence,x,y,label", *steps]))
    run_command([*SEQUENCE_COMMANDS[3].split(), "--steps", "20"])
    printed = capsys.readouterr().out
    for words in ("classification: ", "| gru |", "| hmm |"):
        assert words in printed


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_paths_of_the_readme_exist():
    for path in re.findall(r"(?<!pomdp_)(?:recurrent_rl|envs|experiments)/[\w/]+(?:\.\w+)?", README):
        assert (ROOT / path).exists(), path


def test_the_memories_of_the_readme_are_all_there_are():
    table = README.partition("## Memories")[2].partition("```python")[0]
    named = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", table.replace("`recurrent_rl", ""))) - {"memory"}
    kinds = [getattr(memory, name) for name in memory.__all__]
    assert named == {
        kind.__name__ for kind in kinds if isinstance(kind, type) and issubclass(kind, memory.MemorySpec)
    } - {"MemorySpec"}


def test_the_composed_memory_of_the_readme_builds():
    (code,) = re.findall(r"```python\n(deep = .*?)```", README, flags=re.DOTALL)
    names = dict(vars(memory))
    exec(code, names)
    assert names["memory"].build(3).output_size == 32
