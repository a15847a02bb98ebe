"""The tasks on music, films, genes and motion say what their data are."""

import json

import pytest

from recurrent_rl.sequence.tasks.arts import ARTS, chorales


def test_every_task_has_its_name():
    assert {name: make().name for name, make in ARTS.items()} == {name: name for name in ARTS}


@pytest.mark.parametrize("name", ARTS)
def test_every_task_has_a_floor_of_its_own_data(name):
    assert any(anchor.comparable for anchor in ARTS[name]().anchors)


def test_published_figures_compare_on_the_usual_split_alone(tmp_path):
    path = tmp_path / "usual.json"
    path.write_text(json.dumps({name: [[[60], [62, 65]]] for name in ("train", "valid", "test")}))
    usual, own = chorales(path), chorales()
    assert {anchor.name for anchor in usual.anchors if not anchor.comparable} == {"HMM"}
    assert {anchor.name for anchor in own.anchors if anchor.comparable} == {"floor", "last chord"}
    assert {anchor.value for anchor in usual.anchors} <= {anchor.value for anchor in own.anchors}
    assert len(usual.load(0).train) == 1
