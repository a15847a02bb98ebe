"""The manifest is whole, and holds no address."""

import re
from pathlib import Path

import pytest

import recurrent_rl.sequence.data as data
from recurrent_rl.sequence.data import ENTRIES, summary
from recurrent_rl.sequence.data.manifest import BROWN
from recurrent_rl.sequence.data.stand_ins import STAND_INS
from recurrent_rl.sequence.tasks import ARTS, REAL, TEXTS


def test_each_task_on_real_data_has_an_entry_and_a_stand_in():
    assert ENTRIES.keys() == (REAL | TEXTS | ARTS).keys() == STAND_INS.keys()


@pytest.mark.parametrize("name", ENTRIES)
def test_sha256_is_64_lower_case_hexadecimal_digits(name):
    assert re.fullmatch("[0-9a-f]{64}", ENTRIES[name].sha256)


@pytest.mark.parametrize("name", ENTRIES)
def test_each_member_is_named_once(name):
    assert len(set(ENTRIES[name].members)) == len(ENTRIES[name].members) >= 1


@pytest.mark.parametrize("name", ENTRIES)
def test_a_summary_says_counts_licence_and_source(name):
    text, entry = summary(name), ENTRIES[name]
    for said in (name, entry.package, entry.version, entry.counts, entry.licence, entry.caveat, entry.citation):
        assert said in text


def test_the_corpus_has_500_documents_in_the_order_of_their_names():
    assert len(BROWN.members) == 500
    assert list(BROWN.members) == sorted(BROWN.members)
    assert (BROWN.members[0], BROWN.members[-1]) == ("package/ca01", "package/cr09")


def test_no_source_of_this_package_holds_an_address():
    for path in Path(data.__file__).parent.glob("*.py"):
        assert "://" not in path.read_text(), path
