"""Pictures give a model the same look everywhere, and panels for what there is."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from recurrent_rl.sequence.benchmark.costs import Cost
from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.plots import draw, picture, style
from recurrent_rl.sequence.benchmark.tables import lines
from recurrent_rl.sequence.tasks import MADE_UP
from tests.sequence.benchmark.results import found

COSTS = {"gru": Cost(step_us=120.4, state_bytes=1234, growth=1.02, steps=40)}


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize(("task", "metric", "longer"), [("mnist1d", "accuracy", ()), ("adding-200", "mse", ("500",))])
def test_a_picture_has_a_panel_more_where_there_are_longer_tests(task, metric, longer, tmp_path):
    one = MADE_UP[task]()
    draw(one, lines(one, found(metric, longer), COSTS), tmp_path / "task.png")
    image = imread(tmp_path / "task.png")
    assert image.shape[1] == pytest.approx(110 * (4.2 * (3 + len(longer)) + 1.6), abs=2)
    assert image[..., :3].std() > 0.05


def test_without_costs_there_is_no_panel_for_them():
    task = MADE_UP["mnist1d"]()
    assert len(picture(task, lines(task, found(), {})).axes) == 2


def test_all_panels_of_a_loss_are_logarithmic_and_hold_the_models():
    task = MADE_UP["adding-200"]()
    scores = {"gru": [1e-5, 2e-5, 9e-5], "lstm": [0.1, 0.2, 0.1]}
    figure = picture(task, lines(task, found("mse", ("500",), scores), COSTS))
    assert [axes.get_yscale() for axes in figure.axes] == ["log"] * 4
    low, high = figure.axes[0].get_ylim()
    assert 1e-6 < low < 4e-5
    assert 0.2 < high < 1
    assert "floor" in labels(figure)


def test_percentages_end_at_a_hundred_however_wide_an_interval_is():
    task = MADE_UP["parity"]()
    figure = picture(task, lines(task, found(scores={"gru": [50.0, 100.0]}), {}))
    assert figure.axes[0].get_ylim()[1] == pytest.approx(102)


def test_floors_far_below_the_models_are_left_out_and_the_best_comparable_figure_is_drawn():
    task = MADE_UP["mnist1d"]()
    worse = replace(task.anchors[1], name="worse", value=88.0)
    better = replace(worse, name="better", value=94.0)
    other = replace(worse, name="of other data", value=99.0, comparable=False)
    rows = lines(task, found(scores={"gru": [90.0, 91.0, 92.0]}), {})
    drawn = labels(picture(replace(task, anchors=(task.anchors[0], worse, better, other)), rows))
    assert drawn == ["gru", "reference: better"]


def test_a_curve_is_the_mean_over_seeds():
    task = MADE_UP["mnist1d"]()
    _, curves = picture(task, lines(task, found(scores={"gru": [80.0, 90.0]}), {})).axes
    [line] = curves.get_lines()
    np.testing.assert_allclose(line.get_ydata(), 85.0 * np.arange(1, 5) / 4)


def test_no_two_models_look_the_same():
    assert len({style(entrant.name)["color"] for entrant in ENTRANTS}) == len(ENTRANTS)
    assert len({(look["marker"], look["linestyle"]) for look in map(style, (one.name for one in ENTRANTS))}) >= 18
