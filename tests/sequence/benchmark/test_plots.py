"""Pictures give a model the same look everywhere, and panels for what there is."""

import pytest
from matplotlib.image import imread

from recurrent_rl.sequence.benchmark.costs import Cost
from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.plots import draw, style
from recurrent_rl.sequence.benchmark.tables import lines
from recurrent_rl.sequence.tasks import MADE_UP
from tests.sequence.benchmark.results import found

COSTS = {"gru": Cost(step_us=120.4, state_bytes=1234, growth=1.02, steps=40)}


@pytest.mark.parametrize(("task", "metric", "longer"), [("mnist1d", "accuracy", ()), ("adding-200", "mse", ("500",))])
def test_a_picture_has_a_panel_more_where_there_are_longer_tests(task, metric, longer, tmp_path):
    one = MADE_UP[task]()
    draw(one, lines(one, found(metric, longer), COSTS), tmp_path / "task.png")
    picture = imread(tmp_path / "task.png")
    assert picture.shape[1] == pytest.approx(110 * (4.2 * (3 + len(longer)) + 1.6), abs=2)
    assert picture[..., :3].std() > 0.05


def test_no_two_models_look_the_same():
    looks = {tuple(style(entrant.name).values()) for entrant in ENTRANTS}
    assert len(looks) == len(ENTRANTS)
