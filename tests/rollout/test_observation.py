"""Observations are copied once on their way in, and rows are written in place."""

import numpy as np
import pytest
import torch

from recurrent_rl.rollout.observation import rows_of, to_device, write_row

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64, bool])
def test_what_the_environment_writes_later_does_not_reach_an_observation(dtype):
    array = np.ones((3, 2), dtype=dtype)
    observation = to_device(array, CPU)
    array[:] = 0
    assert torch.equal(observation.bool(), torch.ones(3, 2, dtype=torch.bool))
    assert observation.dtype == (torch.float32 if dtype is np.float64 else torch.from_numpy(array).dtype)


def test_a_transposed_image_becomes_contiguous():
    image = np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4).transpose(0, 3, 1, 2)
    observation = to_device(image, CPU)
    assert observation.is_contiguous()
    assert np.array_equal(observation.numpy(), image)


def test_rows_are_written_in_place_and_nowhere_else():
    for storage in (torch.zeros(4, 3, 2), {"a": torch.zeros(4, 3, 2), "b": torch.zeros(4, 3)}):
        parts = storage if isinstance(storage, dict) else {"": storage}
        row = {key: torch.ones_like(part[0]) for key, part in parts.items()}
        write_row(rows_of(storage)[2], row if isinstance(storage, dict) else row[""])
        for part in parts.values():
            assert part[2].eq(1).all()
            assert part.sum() == part[2].numel()
