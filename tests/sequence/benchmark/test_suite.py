"""A suite tunes on validation, reads the test data in its final runs alone, and goes on where it stopped."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from recurrent_rl.sequence.benchmark import suite as module
from recurrent_rl.sequence.benchmark.entrants import entrant_of
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.benchmark.suite import Suite, tuning
from recurrent_rl.sequence.benchmark.trial import run_trial
from recurrent_rl.sequence.benchmark.works import Work
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.training import TrainConfig

SHORT = Work(task=MADE_UP["mnist1d"], config=TrainConfig(steps=4, batch_size=4), tuning_share=0.5)


@pytest.fixture
def here(monkeypatch):
    """Trials run in this process."""

    def run_here(self, work, trials, what):
        results = Results(self.folder)
        for trial in trials:
            if results.of(trial) is None:
                results.add(run_trial(trial, work, self.folder / "unfinished", self.recorders))

    monkeypatch.setattr(Suite, "_run", run_here)


def suite(folder, work=SHORT):
    return Suite(works={"mnist1d": work}, models=["bag"], folder=folder)


def results(folder):
    return list(Results(folder).of_task("mnist1d"))


def test_seeds_follow_the_best_setting_and_only_they_read_the_test_data(here, tmp_path):
    suite(tmp_path).run()
    tuned = [result for result in results(tmp_path) if result["tuning"]]
    final = [result for result in results(tmp_path) if not result["tuning"]]
    assert len(tuned) == 6
    assert sorted(result["seed"] for result in final) == [0, 1, 2, 3, 4]
    assert not any("test" in result for result in tuned)
    best = max(tuned, key=lambda result: result["validation"])["setting"]
    assert {json.dumps(result["setting"]) for result in final} == {json.dumps(best)}
    assert all(0 <= result["test"]["accuracy"] <= 100 for result in final)
    assert {result["steps"] for result in tuned} == {2}
    assert {result["steps"] for result in final} == {4}


def test_nothing_is_left_of_finished_trials_but_their_lines(here, tmp_path):
    suite(tmp_path).run()
    assert not list((tmp_path / "unfinished").iterdir())
    assert results(tmp_path)[0]["curve"]["step"] == [1.0, 2.0]


def test_what_has_a_result_is_not_run_again(here, tmp_path):
    suite(tmp_path).run()
    before = (tmp_path / "mnist1d.jsonl").read_bytes()
    suite(tmp_path).run()
    assert (tmp_path / "mnist1d.jsonl").read_bytes() == before


def test_runs_of_another_length_do_not_count(here, tmp_path):
    suite(tmp_path).run()
    suite(tmp_path, replace(SHORT, config=TrainConfig(steps=8, batch_size=4))).run()
    assert sum(not result["tuning"] for result in results(tmp_path)) == 10


def test_a_line_that_was_cut_off_is_passed_over_and_run_again(here, tmp_path):
    suite(tmp_path).run()
    path = tmp_path / "mnist1d.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert len(results(tmp_path)) == 10
    suite(tmp_path).run()
    assert len(results(tmp_path)) == 11


def test_a_task_can_take_the_settings_of_another(here, tmp_path):
    other = Work(task=MADE_UP["mnist1d-shuffled"], config=SHORT.config, tuned_as=SHORT, seeds=2)
    one = Suite(works={"mnist1d-shuffled": other}, models=["bag"], folder=tmp_path)
    one.run()
    assert all(result["tuning"] for result in results(tmp_path))
    assert len(list(Results(tmp_path).of_task("mnist1d-shuffled"))) == 2


def test_a_setting_that_diverges_is_not_chosen_and_stops_nothing(here, tmp_path, monkeypatch):
    from recurrent_rl.sequence.benchmark.networks import Network

    learn = Network.learn

    def diverge(self, task, splits, setting, training):
        if setting.learning_rate != 1e-3:
            raise FloatingPointError("The loss is nan at step 1.")
        return learn(self, task, splits, setting, training)

    monkeypatch.setattr(Network, "learn", diverge)
    suite(tmp_path).run()
    assert sum("error" in result for result in results(tmp_path)) == 4
    final = [result for result in results(tmp_path) if not result["tuning"]]
    assert {result["setting"]["learning_rate"] for result in final} == {1e-3}


def test_seeds_before_tuning_say_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="run the suite"):
        suite(tmp_path).final("mnist1d", entrant_of("bag"))


def test_tuning_seeds_are_none_of_those_that_count():
    trials = tuning(SHORT, entrant_of("gru"))
    assert {trial.seed for trial in trials}.isdisjoint(SHORT.final_seeds)
    assert len({trial.setting for trial in trials}) == 6


def test_trials_run_in_processes_of_one_thread(tmp_path):
    one = Suite(works={"mnist1d": replace(SHORT, seeds=2)}, models=["hmm"], folder=tmp_path, processes=2)
    one._run(SHORT, tuning(SHORT, entrant_of("bag"))[:2], "tuning")
    assert len(results(tmp_path)) == 2
    assert results(tmp_path)[0]["seed"] == module.TUNING_SEED


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the process in /proc")
def test_processes_end_with_the_suite_that_was_killed(tmp_path):
    """A worker that outlived it would write into the checkpoint of whoever runs the trial next."""
    code = (
        "import time, multiprocessing\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from recurrent_rl.sequence.benchmark.suite import _prepare_process\n"
        "import os\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare_process)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    pool.submit(time.sleep, 60)\n"
        "    time.sleep(60)\n"
    )
    (tmp_path / "suite.py").write_text(code)
    with subprocess.Popen([sys.executable, "suite.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as main:
        worker = int(main.stdout.readline())
        main.kill()
    deadline = time.monotonic() + 20
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(worker)


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_models_that_suit_none_of_the_tasks_are_told(tmp_path):
    suite = Suite(works={"mnist1d": SHORT}, models=("bi-lstm-crf",), folder=tmp_path)
    assert suite.without_models() == ["mnist1d"]
    with pytest.raises(ValueError, match="bi-lstm-crf cannot be asked what mnist1d asks"):
        suite.run()
