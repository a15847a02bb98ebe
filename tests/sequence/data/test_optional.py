"""A package that is missing is asked for by name."""

import json

import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.optional import optional


def test_what_is_there_is_the_module():
    assert optional("json", "json", "this") is json


def test_what_is_missing_is_named_with_its_cure():
    with pytest.raises(DataError, match=r"^bikes needs the package a-film-reader: pip install a-film-reader\.$"):
        optional("no_such_module", "a-film-reader", "bikes")
