"""What the README of the environments shows is run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pomdp_envs

README = (Path(__file__).parents[2] / "envs" / "README.md").read_text()


def test_the_example_runs_and_prints_what_is_said():
    (code,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for line in re.findall(r"`(RepeatPrevious\w+: -?[\d.]+)`", README):
        assert line in done.stdout


def test_the_table_names_every_id():
    named = set(re.findall(r"^\| `([\w-]+)` \|", README, flags=re.MULTILINE))
    assert {env_id.removeprefix("pomdp_envs/") for env_id in pomdp_envs.ids()} <= named
