"""All networks of a comparison have as many parameters above their common input layer, within 3%."""

import pytest

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS, entrant_of, entrants_for
from recurrent_rl.sequence.benchmark.networks import BUDGET_WIDTH, GRU_NETWORK, NETWORKS, Sizes, above_inputs
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.models import count_parameters


@pytest.mark.parametrize("entrant", NETWORKS, ids=lambda entrant: entrant.name)
@pytest.mark.parametrize(
    ("task", "longest"), [("mnist1d", 40), ("brown-tags", 172), ("adding-600", 600), ("bikes", 15)]
)
def test_all_networks_have_as_many_parameters_within_3_percent(entrant, task, longest):
    one = WORKS[task].task()
    if not entrant.suits(one):
        pytest.skip(f"{entrant.name} is not asked for {task}")
    sizes = entrant.matched(one, longest, 0.0)
    budget = count_parameters(above_inputs(GRU_NETWORK.network(one, Sizes(width=BUDGET_WIDTH, longest=longest))))
    assert abs(count_parameters(above_inputs(entrant.network(one, sizes))) - budget) <= 0.03 * budget


def test_models_that_look_ahead_are_not_asked_for_the_next_step():
    suited = {entrant.name for entrant in entrants_for(WORKS["brown-characters"].task(), ["all"])}
    assert {"gru", "transformer", "tcn"} < suited
    assert suited.isdisjoint({"bi-lstm", "bi-gru", "transformer-both-ways", "cnn"})


def test_only_the_network_for_films_is_asked_for_frames_alone():
    suited = {name: {entrant.name for entrant in entrants_for(WORKS[name].task(), ["all"])} for name in WORKS}
    assert {name for name in WORKS if "conv-gru" in suited[name]} == {"bikes", "carphone", "moving-digits"}
    assert {name for name in WORKS if "gru" not in suited[name]} == {"spelling-to-sound"}


def test_means_are_asked_for_whole_sequences_alone():
    means = {"lstm-mean", "bi-lstm-mean"}
    assert means < {entrant.name for entrant in entrants_for(WORKS["splice"].task(), ["all"])}
    assert means.isdisjoint({entrant.name for entrant in entrants_for(WORKS["brown-tags"].task(), ["all"])})


def test_the_full_protocol_tries_six_settings_and_the_other_three():
    assert len(GRU_NETWORK.settings(WORKS["mnist1d"].task())) == 6
    assert len(GRU_NETWORK.settings(WORKS["spoken-digits"].task())) == 3


def test_names_are_all_different():
    assert len({entrant.name for entrant in ENTRANTS}) == len(ENTRANTS)


def test_an_unknown_model_lists_those_that_there_are():
    with pytest.raises(ValueError, match="deep-gru"):
        entrant_of("perceptron")
