"""A run has its folder to itself, and reads what an interrupted machine leaves of its figures."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.folder import RunFolder

STEPS = "time/total_timesteps"


def test_runs_that_begin_at_once_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: RunFolder.new(RunConfig(), None), range(16)))
    assert len({folder.path for folder in folders}) == 16
    assert all(RunConfig.read(folder.config) == RunConfig() for folder in folders)


def test_of_several_runs_that_name_one_folder_one_gets_it(tmp_path):
    def make(_):
        try:
            return RunFolder.new(RunConfig(), tmp_path / "run")
        except ValueError as error:
            assert "holds a run already" in str(error)  # noqa: PT017 - in a thread

    with ThreadPoolExecutor(8) as pool:
        assert len([made for made in pool.map(make, range(16)) if made]) == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ValueError, match="No folder can be made"):
            RunFolder.new(RunConfig(), path)


@pytest.mark.parametrize(
    "torn",
    [
        b"128,0.5",
        b"128\n",
        b"128,half\n",
        b"128,0.5,7,8\n",
        b"\x00" * 500,
        b"\x00,\x00\n",
        b"\xff\xfe,1\n",
        b'"128,0.5\n',
    ],
)
def test_a_damaged_last_row_is_left_out(tmp_path, torn):
    folder = RunFolder(tmp_path)
    folder.metrics.write_bytes(f"{STEPS},loss\n64,0.25\n96,\n".encode() + torn)
    assert folder.rows() == [{STEPS: 64.0, "loss": 0.25}, {STEPS: 96.0}]
    folder.logger(resumed_at=96, extra=[]).close()
    assert folder.rows() == [{STEPS: 64.0, "loss": 0.25}, {STEPS: 96.0}]


@pytest.mark.parametrize("content", [b"", b"time/tot", b"\x00\n\x00"])
def test_a_file_without_rows_gives_none(tmp_path, content):
    folder = RunFolder(tmp_path)
    folder.metrics.write_bytes(content)
    assert folder.rows() == []
