"""Windows hold what was known when the forecast is made, and nothing of later."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.electricity import (
    DEVIATION,
    FEATURES,
    HORIZON,
    MEAN,
    PAST,
    hourly,
    origins,
    problem,
    windows,
)
from recurrent_rl.sequence.data.electricity_table import Table, local_time, naive_error, parse

ROWS = 60 * 48


def table(seed=0):
    rng = np.random.default_rng(seed)
    local = np.datetime64("2012-01-01T00:00") + 30 * np.arange(ROWS).astype("timedelta64[m]")
    return Table(4700 + 900 * rng.normal(size=ROWS), 15 + 5 * rng.normal(size=ROWS), np.zeros(ROWS), local)


def test_targets_are_the_demand_after_the_window():
    found, given = windows(table()), table()
    for part, rows in zip((found.train, found.validation, found.test), given.parts, strict=True):
        starts = origins(rows)
        assert len(part) == len(starts) > 0
        for index in (0, len(starts) - 1):
            assert part.inputs[index].shape == (PAST // 2, FEATURES)
            wanted = given.demand[starts[index] : starts[index] + HORIZON]
            np.testing.assert_allclose(part.targets[index] * DEVIATION + MEAN, wanted, rtol=1e-5)
            halves = part.inputs[index][:, :2].reshape(-1) * DEVIATION + MEAN  # step by step, both half-hours
            np.testing.assert_allclose(halves, given.demand[starts[index] - PAST : starts[index]], rtol=1e-5)


def test_all_wanted_half_hours_are_of_their_part():
    for rows in table().parts:
        assert origins(rows)[0] >= rows.start
        assert origins(rows)[-1] + HORIZON <= rows.stop


def test_parts_follow_each_other_in_time_and_the_last_fifth_is_the_test():
    train, validation, test = table().parts
    assert (train.start, train.stop, validation.stop, test.stop) == (0, validation.start, test.start, ROWS)
    assert len(test) == ROWS // 5


@pytest.mark.parametrize("row", [PAST + 100, PAST + 101, 2600])
def test_demand_and_weather_of_a_half_hour_are_in_no_earlier_hour(row):
    one, other = table(), table()
    other.demand[row:] += 500.0
    other.temperature[row:] += 5.0
    before, after = hourly(one), hourly(other)
    hour = row // 2
    if row >= one.parts[0].stop:  # else the scaling of temperature sees it too: training may
        np.testing.assert_array_equal(before[:hour], after[:hour])
    np.testing.assert_array_equal(before[:hour, :2], after[:hour, :2])
    assert (before[hour:, 1] != after[hour:, 1]).all()


def test_the_test_part_changes_no_training_window():
    one, other = table(), table()
    for column in (other.demand, other.temperature):
        column[other.parts[1].start :] *= 1.5
    for before, after in zip(windows(one).train.inputs, windows(other).train.inputs, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_calendar_is_that_of_the_hour_and_of_the_hour_a_day_later():
    given = table()
    given.holiday[10 * 48 : 11 * 48] = 1.0  # Wednesday, 11 January
    found = hourly(given)
    day = np.arange(len(found)) // 24
    weekend = np.isin(day % 7, (0, 6))  # day 0 is a Sunday
    np.testing.assert_array_equal(found[:, 5], weekend | (day == 10))
    np.testing.assert_array_equal(found[:, 10], np.isin((day + 1) % 7, (0, 6)) | (day == 9))
    np.testing.assert_allclose(found[:24, 3], np.sin(2 * np.pi * np.arange(24) / 24), atol=1e-6)
    assert found[5, 6] == pytest.approx(np.sin(2 * np.pi * 5 / 168), abs=1e-5)  # a day after Sunday 5:00 is Monday 5:00


def test_the_clock_on_the_wall_changes_at_16_utc():
    utc = np.datetime64("2012-03-30T13:00") + 30 * np.arange(200).astype("timedelta64[m]")
    change = np.datetime64("2012-03-31T16:00")  # Melbourne: from 11 hours ahead to 10
    wanted = utc + np.where(utc < change, np.timedelta64(660, "m"), np.timedelta64(600, "m"))
    np.testing.assert_array_equal(local_time(utc, wanted.astype("datetime64[D]").astype("datetime64[m]")), wanted)


def test_rows_are_read_by_the_names_of_their_columns():
    text = "Time,Demand,Temperature,Date,Holiday\n" + "".join(
        f"2011-12-31T{hour}:{minute}Z,{4000 + hour}.5,21.4,2012-01-01,TRUE\n"
        for hour in (13, 14)
        for minute in ("00", "30")
    )
    found = parse(text)
    assert found.demand.tolist() == [4013.5, 4013.5, 4014.5, 4014.5]
    assert found.holiday.tolist() == [1.0] * 4
    assert [str(time) for time in found.local[:2]] == ["2012-01-01T00:00", "2012-01-01T00:30"]


def test_the_naive_forecast_repeats_the_season():
    demand = np.array([1.0, 2.0, 4.0, 5.0, 2.0])
    assert naive_error(demand, range(3, 5), 2) == (2.5, pytest.approx(100 * (3 / 5 + 2 / 2) / 2))
    assert naive_error(demand, range(0, 3), 1)[0] == 1.5  # the first has none before


def test_the_problem_is_in_megawatts():
    found = windows(table())
    asked = problem()
    perfect = [np.repeat(target, len(asked.levels)) for target in found.test.targets]
    assert asked.scores(perfect, found.test) == {"mape": 0.0, "mase": 0.0, "crps": 0.0}
    np.testing.assert_allclose(
        asked.wanted(found.test)[0], table().demand[table().parts[2].start :][:HORIZON], rtol=1e-5
    )
