"""Electricity: Victoria's half-hourly demand for the next day, from what the last seven days were.

    step j of 168      demand in both half-hours, temperature, calendar of that hour and of the hour a day later
    target k of 48     demand in half-hour k after the last step

An hour is a step that holds the demand of both half-hours: nothing is lost, and a week is half as long. Windows start every
three hours, so forecasts are made at eight times of the day. Weather after a window is not known, the calendar is.
"""

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.electricity_table import Floats, Table, read_table
from recurrent_rl.sequence.forecast import Forecast
from recurrent_rl.sequence.task import Splits

PAST, HORIZON, STRIDE = 336, 48, 6
"""Half-hours that a window holds, that are wanted, and from one window to the next."""
FEATURES = 11
MEAN, DEVIATION = 4701.155, 902.574
"""Of the demand in training, megawatts."""
WEEK_NAIVE = 367.766
"""Mean absolute difference in training between a half-hour and that a week before, megawatts."""


def load(seed: int = 0) -> Splits:
    """Return windows of the first 70%, the next 10% and the last 20% of the time, the same for each seed.

    Source: vic_elec of Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice.
    """
    return windows(read_table())


def problem() -> Forecast:
    """Return what is asked: quantiles of 48 half-hours, in megawatts, mase against the week before."""
    return Forecast(horizon=HORIZON, offset=MEAN, scale=DEVIATION, naive_error=WEEK_NAIVE, observed=(0, 1))


def windows(table: Table) -> Splits:
    """Return the windows of each part: inputs [168, 11] float32, targets [48] float32 scaled by MEAN and DEVIATION.

    All 48 wanted half-hours are of the part; what a window of validation or test looks back on may be of the part before.
    """
    steps = hourly(table)
    scaled = ((table.demand - MEAN) / DEVIATION).astype(np.float32)
    train, validation, test = (_windows(steps, scaled, rows) for rows in table.parts)
    return Splits(train, validation, test)


def origins(rows: range) -> range:
    """Return the first wanted row of each window of a part."""
    return range(max(rows.start, PAST), rows.stop - HORIZON + 1, STRIDE)


def hourly(table: Table) -> NDArray[np.float32]:
    """Return the features of all hours but those of the last day, [hours, 11] float32.

    Two demands, the mean temperature; sine and cosine of the time of day, and of the time in the week and in the year of the
    hour a day later; whether it is a day off (weekend or holiday) now and a day later. No column of an hour holds a demand
    or a temperature of a later one.
    """
    train = table.parts[0]
    demand = (table.demand - MEAN) / DEVIATION
    temperature = (table.temperature - table.temperature[train].mean()) / table.temperature[train].std()
    minute = (table.local - table.local.astype("datetime64[Y]")).astype(np.float64)  # of the year
    since = (table.local - np.datetime64("2012-01-02T00:00")).astype(np.float64)  # a Monday
    off = np.maximum(table.holiday, since % 10080 >= 5 * 1440)
    warmth = temperature / 2 + np.append(temperature[1:], 0.0) / 2
    now = [demand, np.append(demand[1:], 0.0), warmth, *_round(since, 1440), off]
    later = [*_round(since, 10080), *_round(minute, 365.25 * 1440), off]
    columns = [*(column[:-HORIZON:2] for column in now), *(column[HORIZON::2] for column in later)]
    return np.stack(columns, axis=1).astype(np.float32)  # [hours, 11]


def _windows(steps: NDArray[np.float32], scaled: NDArray[np.float32], rows: range) -> Examples:
    starts = origins(rows)
    inputs: list[Array] = [steps[(start - PAST) // 2 : start // 2] for start in starts]
    return Examples(inputs, [scaled[start : start + HORIZON] for start in starts])


def _round(value: Floats, period: float) -> tuple[Floats, Floats]:
    """Return the place on a circle that a value goes around once in a period."""
    angle = 2 * np.pi * value / period
    return np.sin(angle), np.cos(angle)
