"""Pictures of attention show each word's own letters and what was written, as the network looks at them."""

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from recurrent_rl.memory import GRU
from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.benchmark.attention_map import ACROSS, draw_attention, look, picture
from recurrent_rl.sequence.data.pronunciations import LETTER_SYMBOLS, PHONE_SYMBOLS, PHONES, spoken
from recurrent_rl.sequence.models import Bidirectional, EncoderDecoder, Inputs
from recurrent_rl.sequence.translation import Translation, write

PROBLEM = Translation(PHONE_SYMBOLS)
WORDS = spoken({"bee": [("B", "IY")], "a": [("AH",), ("EY",)], "thistle": [("TH", "IH", "S", "AH", "L")]})


def network(attention=True):
    """A network of strong opinions, which writes words of different lengths."""
    torch.manual_seed(0)
    spec = EncoderDecoder(encoder=Bidirectional(memory=GRU(hidden_size=4)), size=4, attention=attention)
    made = spec.build(Inputs(symbols=LETTER_SYMBOLS, size=4), PROBLEM.symbols, PROBLEM.end)
    with torch.no_grad():
        for layer in [made.match] if attention else []:
            layer.weight.normal_()
        made.head.bias[PROBLEM.end] = 0.2
    return made


def test_each_word_has_a_row_for_each_phone_and_the_end_and_a_column_for_each_letter():
    made = network()
    written = write(made, PROBLEM, WORDS, max_length=56)
    for word, phones, found in zip(WORDS.words, written, look(made, PROBLEM, WORDS), strict=True):
        assert found.letters == word
        assert found.phones == (*(PHONES[phone] for phone in phones), ".")
        assert found.weights.shape == (len(phones) + 1, len(word))
        np.testing.assert_allclose(found.weights.sum(1), 1, rtol=1e-5)


def test_the_weights_are_those_with_which_the_word_alone_is_written():
    made = network().train()
    found = look(made, PROBLEM, WORDS)
    assert made.training
    made.eval()
    for index, one in enumerate(found):
        written = np.array([PHONES.index(phone) for phone in one.phones[:-1]], dtype=np.int64)
        alone = PROBLEM.batch(Examples([WORDS.inputs[index]], [written]), [0])
        weights = made.attention_weights(alone)[:, 0].detach().numpy()
        np.testing.assert_allclose(one.weights, weights, rtol=1e-4, atol=1e-6)


def test_what_is_right_is_told_only_where_something_else_was_written(monkeypatch):
    said = [WORDS.ways[0][0], WORDS.ways[1][1], WORDS.ways[2][0][:3]]
    monkeypatch.setattr("recurrent_rl.sequence.benchmark.attention_map.write", lambda *_, **__: said)
    found = look(network(), PROBLEM, WORDS)
    assert [one.instead for one in found] == [(), (), ("TH", "IH", "S", "AH", "L")]
    titles = [axes.get_title() for axes in picture(found).axes]
    assert titles == ["bee", "a", "thistle, which is TH IH S AH L"]


def test_a_picture_has_a_panel_for_each_word_with_its_letters_across_and_phones_down(tmp_path):
    made, words = network(), WORDS.select([0, 1, 2, 0])
    found = look(made, PROBLEM, words)
    panels = [axes for axes in picture(found).axes if axes.axison]
    assert len(panels) == 4 > ACROSS
    for axes, one in zip(panels, found, strict=True):
        assert "".join(label.get_text() for label in axes.get_xticklabels()) == one.letters
        assert tuple(label.get_text() for label in axes.get_yticklabels()) == one.phones
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), one.weights)
    draw_attention(made, PROBLEM, words, tmp_path / "attention.png")
    assert imread(tmp_path / "attention.png")[..., :3].std() > 0.05


def test_a_network_without_attention_is_refused():
    with pytest.raises(ValueError, match="attention=True"):
        look(network(attention=False), PROBLEM, WORDS)
