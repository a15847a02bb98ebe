"""Memories by name: every spec that is exported, with its fields as plain values and back."""

import dataclasses
import json

import numpy as np
import pytest

from recurrent_rl import memory as package
from recurrent_rl.memory import LRU, FrameWindow, MemorySpec, NoMemory, Stack
from recurrent_rl.runs.memories import MEMORIES, make_memory, plain_fields


def test_every_spec_that_is_exported_has_a_name():
    kinds = {kind for kind in vars(package).values() if isinstance(kind, type) and issubclass(kind, MemorySpec)}
    assert set(MEMORIES.values()) == kinds - {MemorySpec}
    assert MEMORIES["window"] is FrameWindow
    assert MEMORIES["none"] is NoMemory


@pytest.mark.parametrize("name", MEMORIES)
def test_plain_fields_make_the_spec_again(name):
    spec = MEMORIES[name]()
    fields = plain_fields(name, {})
    assert make_memory(name, fields) == spec
    assert fields.keys() == {field.name for field in dataclasses.fields(spec)}


def test_numbers_of_numpy_become_plain():
    fields = plain_fields("gru", {"hidden_size": np.int64(32)})
    assert json.loads(json.dumps(fields))["hidden_size"] == 32


def test_a_memory_without_a_name_is_refused():
    class Mine(LRU):
        pass

    with pytest.raises(ValueError, match="none of the library's memories"):
        plain_fields("residual", {"spec": Mine()})


@pytest.mark.parametrize("layers", [[{"memory": ["gru"]}], 5, None])
def test_layers_that_are_none_are_refused(layers):
    with pytest.raises(ValueError, match="memory"):
        make_memory("stack", {"layers": layers})


def test_specs_in_fields_are_names_objects_or_specs():
    for layer in ("lru", {"memory": "lru"}, LRU()):
        assert make_memory("stack", {"layers": [layer]}) == Stack([LRU()])
