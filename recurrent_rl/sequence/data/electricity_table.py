"""Half-hourly demand of electricity in Victoria, Australia, 2012 to 2014, with the time on the wall."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.manifest import ELECTRICITY

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Half-hours, [N] each.

    Args:
        demand: Megawatts.
        temperature: Of Melbourne, degrees Celsius.
        holiday: 1 on public holidays, else 0.
        local: Time of the clock on the wall, datetime64 in minutes.
    """

    demand: Floats
    temperature: Floats
    holiday: Floats
    local: NDArray[np.datetime64]

    @property
    def parts(self) -> tuple[range, range, range]:
        """Rows of training, validation and test, in the order of time; each begins with a full hour."""
        rows = len(self.demand)
        first, second = (int(rows * share) // 2 * 2 for share in (1 - TEST_SHARE - VALIDATION_SHARE, 1 - TEST_SHARE))
        return range(first), range(first, second), range(second, rows)


def read_table() -> Table:
    """Return the half-hours of 2012 to 2014, from the cache."""
    return parse(read_member(ELECTRICITY, ELECTRICITY.members[0]).decode())


def parse(text: str) -> Table:
    """Return a table of CSV with the columns Time (UTC), Demand, Temperature, Date (local) and Holiday."""
    rows = list(csv.DictReader(io.StringIO(text)))
    demand, temperature = (np.array([float(row[name]) for row in rows]) for name in ("Demand", "Temperature"))
    holiday = np.array([row["Holiday"] == "TRUE" for row in rows], dtype=np.float64)
    utc = np.array([row["Time"].removesuffix("Z") for row in rows], dtype="datetime64[m]")
    return Table(
        demand, temperature, holiday, local_time(utc, np.array([row["Date"] for row in rows], dtype="datetime64[m]"))
    )


def local_time(utc: NDArray[np.datetime64], midnight: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the clock's time of rows whose local date is known, [N].

    The first row of a date is its midnight, which tells by how much the clock is ahead. It changes at 16:00 UTC, between
    two midnights, and from there on it is ahead by as much as at the next one.
    """
    dates, first = np.unique(midnight, return_index=True)
    ahead = dates - utc[first]  # at each midnight
    day = np.searchsorted(dates, midnight)
    since = utc - utc[first].astype("datetime64[D]")[day]  # the UTC date in which the local one began
    changed = since >= np.timedelta64(16, "h")
    return utc + ahead[np.minimum(day + changed, len(dates) - 1)]


def naive_error(demand: Floats, rows: range, lag: int) -> tuple[float, float]:
    """Return the mean absolute error and, in percent, the mean relative one of forecasting rows by those `lag` earlier."""
    wanted = demand[max(rows.start, lag) : rows.stop]
    error = np.abs(wanted - demand[max(rows.start, lag) - lag : rows.stop - lag])
    return float(error.mean()), 100.0 * float(np.mean(error / wanted))
