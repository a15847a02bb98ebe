"""The overview has a row for each model and a column for each task, and ranks models within a task."""

import numpy as np
from matplotlib.image import imread

from recurrent_rl.sequence.benchmark.overview import draw_overview, overview, ranks
from recurrent_rl.sequence.benchmark.tables import lines
from recurrent_rl.sequence.tasks import MADE_UP
from tests.sequence.benchmark.results import found


def of(task, metric, scores):
    one = MADE_UP[task]()
    return one, lines(one, found(metric, scores=scores), {})


FOUND = {
    "mnist1d": of("mnist1d", "accuracy", {"gru": [90.0, 92.0], "lstm": [89.0, 90.0], "bag": [30.0, 30.0]}),
    "adding-200": of("adding-200", "mse", {"hmm": [0.5], "bag": [0.1]}),
}


def test_the_best_of_each_task_is_bold_and_what_was_not_run_is_empty():
    assert overview(FOUND).splitlines() == [
        "| model | mnist1d, accuracy | adding-200, mse |",
        "| --- | --- | --- |",
        "| lstm | 89.5 |  |",
        "| gru | **91** |  |",
        "| bag | 30 | **0.1** |",
        "| hmm |  | 0.5 |",
    ]


def test_ranks_go_from_one_for_the_best_to_zero_for_the_last():
    np.testing.assert_array_equal(ranks(FOUND), [[0.5, np.nan], [1, np.nan], [0, 1], [np.nan, 0]])


def test_equal_scores_have_equal_ranks():
    tied = of("mnist1d", "accuracy", {"gru": [90.0], "lstm": [90.0], "bag": [30.0]})
    np.testing.assert_array_equal(ranks({"mnist1d": tied}), [[1], [1], [0]])


def test_the_picture_is_coloured(tmp_path):
    draw_overview(FOUND, tmp_path / "overview.png")
    image = imread(tmp_path / "overview.png")[..., :3]
    assert np.mean(np.ptp(image, axis=-1) > 0.2) > 0.1
