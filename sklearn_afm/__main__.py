"""Demonstration: `python -m sklearn_afm [--data frappe [--data-home DIR]]`."""

import argparse
import time
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    ParameterGrid,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from . import AFMClassifier, FMClassifier, make_field_pipeline
from .datasets import fetch_frappe, load_flights
from .inspection import PairEffectDisplay, pair_effect, pair_importance

# Rows for the grid search and for the list of interactions; rows that two levels share at least.
SEARCH_ROWS, LISTED_ROWS, CELL_ROWS = 20_000, 10_000, 50
GRIDS = {
    "LogisticRegression": {"logisticregression__C": [1.0, 0.3, 0.1, 0.03]},
    "HistGradientBoosting": {
        "histgradientboostingclassifier__learning_rate": [0.1, 0.05],
        "histgradientboostingclassifier__max_leaf_nodes": [31, 7],
    },
}


@dataclass
class Table:
    """Training rows and held-out rows (structured arrays), folds of the search, and AFM's grid."""

    title: str
    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    folds: object
    grid: dict
    categories: list[str] = field(default_factory=list)  # columns of numbers that are categories


def flights() -> Table:
    """Flights from New York: learn from the first half of 2013, test on the second."""
    flights = load_flights()
    first = int(np.searchsorted(flights.time, np.datetime64("2013-07-01")))
    X, y = flights.data, flights.target
    grid = {"afmclassifier__crosses": ["auto", None]}
    title = "Flights from New York in 2013: which take off more than 15 minutes late?"
    folds = TimeSeriesSplit(3, test_size=2000)
    return Table(title, X[:first], X[first:], y[:first], y[first:], folds, grid)


def frappe(data_home: str | None) -> Table:
    """Frappe (Baltrunas et al., 2015): was this app used in this context?"""
    rows, used = {}, {}
    for subset in ("train", "validation"):
        try:
            part = fetch_frappe(data_home=data_home, subset=subset)
        except OSError as error:
            raise SystemExit(str(error)) from error
        names = list(part.fields)
        columns = part.data.indices.reshape(-1, len(names))
        rows[subset] = np.empty(len(columns), dtype=[(name, np.int64) for name in names])
        for name, column in zip(names, columns.T):
            rows[subset][name] = column
        used[subset] = (part.target > 0).astype(int)
    parts = rows["train"], rows["validation"], used["train"], used["validation"]
    grid = {"afmclassifier__crosses": ["auto", None], "afmclassifier__l2_embedding": ["auto", 3]}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return Table("Frappe: was this app used in this context?", *parts, folds, grid, names)


def models(table: Table) -> dict[str, Pipeline]:
    """The models that are compared, as they come."""
    estimators = {
        "LogisticRegression": LogisticRegression(max_iter=1000),
        "FMClassifier": FMClassifier(random_state=0),
        "AFMClassifier": AFMClassifier(random_state=0),
    }
    found = {
        name: make_field_pipeline(estimator, categorical_features=table.categories)
        for name, estimator in estimators.items()
    }
    return {"HistGradientBoosting": boosting(table)} | found


def boosting(table: Table) -> Pipeline:
    """HistGradientBoosting, which takes 255 codes of a category: frequent levels keep theirs."""
    dtype = table.X_train.dtype
    text = [dtype[name].kind == "U" or name in table.categories for name in dtype.names]
    codes = OrdinalEncoder(
        max_categories=254, handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    places = np.flatnonzero(text)
    return make_pipeline(
        FunctionTransformer(as_objects),
        make_column_transformer((codes, places), remainder="passthrough"),
        HistGradientBoostingClassifier(categorical_features=np.arange(len(places)), random_state=0),
    )


def as_objects(X: np.ndarray) -> np.ndarray:
    """The columns of a structured array, side by side."""
    return np.column_stack([X[name].astype(object) for name in X.dtype.names])


def search(table: Table, model: Pipeline, grid: dict) -> dict:
    """The settings with the least log loss over the folds."""
    X, y = table.X_train, table.y_train
    if len(y) > SEARCH_ROWS:
        rows = np.random.default_rng(0).permutation(len(y))[:SEARCH_ROWS]
        X, y = X[rows], y[rows]
    best, least = {}, np.inf
    for settings in ParameterGrid(grid):
        options = {"cv": table.folds, "scoring": "neg_log_loss", "n_jobs": 2}
        loss = -cross_val_score(clone(model).set_params(**settings), X, y, **options).mean()
        print(f"    {in_words(settings):<42}{loss:.4f}", flush=True)
        if loss < least:
            best, least = settings, loss
    return best


def in_words(settings: dict) -> str:
    """Settings without the name of the step."""
    return ", ".join(f"{name.split('__')[1]}={value}" for name, value in settings.items())


def row_losses(model: Pipeline, table: Table) -> np.ndarray:
    """Log loss of each held-out row."""
    proba = model.predict_proba(table.X_test)[np.arange(len(table.y_test)), table.y_test]
    return -np.log(np.maximum(proba, np.finfo(float).tiny))


def compare(table: Table) -> Pipeline:
    """Tune and fit the models, print their losses on the held-out rows, and return AFM untuned."""
    found = models(table)
    grids = GRIDS | {"AFMClassifier": table.grid}
    tuned = {}
    for name, grid in grids.items():
        print(f"  Tuning {name}: log loss over {table.folds.get_n_splits()} folds", flush=True)
        tuned[name] = clone(found[name]).set_params(**search(table, found[name], grid))

    print(f"\n  {'log loss, held out':<24}{'untuned':>9}{'tuned':>9}{'fit':>9}")
    losses = {}
    for name, model in found.items():
        started = time.perf_counter()
        model.fit(table.X_train, table.y_train)
        seconds = time.perf_counter() - started
        losses[name] = row_losses(model, table)
        shown = f"  {name:<24}{losses[name].mean():>9.4f}"
        if name in tuned:
            losses[name, "tuned"] = row_losses(tuned[name].fit(table.X_train, table.y_train), table)
            shown += f"{losses[name, 'tuned'].mean():>9.4f}"
        print(f"{shown:<44}{seconds:>7.1f} s", flush=True)
    say_who_is_ahead(losses)
    return found["AFMClassifier"]


def say_who_is_ahead(losses: dict) -> None:
    """Print the differences between the untuned AFM and the others, with standard errors."""
    print("\n  The untuned AFM, beside")
    for other, values in losses.items():
        if other == "AFMClassifier":
            continue
        difference = losses["AFMClassifier"] - values
        mean, error = difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))
        word = "level" if abs(mean) <= error else "ahead" if mean < 0 else "behind"
        name = f"{other}, untuned" if isinstance(other, str) else ", ".join(other)
        print(f"    {name:<32}{mean:>+8.4f} (standard error {error:.4f}): {word}")


def show_interactions(model: Pipeline, table: Table, picture: str) -> None:
    """Print the strongest pairs of fields and where they are strongest, and draw one of them."""
    rows = table.X_test[:LISTED_ROWS]
    found = pair_importance(model, rows, statistic="abs_contribution")
    names = found.pair_names[:5]
    print(f"\n  The strongest of {len(found.pair_names)} interactions: mean size, in log odds")
    n_cells = {}
    for pair, size in zip(names, found.ranked("mean")):
        effect = pair_effect(model, rows, pair)
        means = np.where(effect.count >= CELL_ROWS, effect.mean, 0)
        n_cells[pair] = (effect.count >= CELL_ROWS).sum()
        i, j = np.unravel_index(np.abs(means).argmax(), means.shape)
        levels = f"{pair[0]} {effect.first_levels[i]}, {pair[1]} {effect.second_levels[j]}"
        print(f"    {' x '.join(pair):<22}{size:.3f}   {means[i, j]:+.2f} at {levels}")
    if find_spec("matplotlib") is None:
        print("\n  If matplotlib is installed, one of them is drawn, level by level.")
        return
    from matplotlib.figure import Figure  # without pyplot, no window and no display are needed

    pair = max(names, key=n_cells.get)  # there is most to see
    figure = Figure(figsize=(7, 5), layout="constrained")
    PairEffectDisplay.from_estimator(model, rows, pair=pair, ax=figure.subplots())
    figure.savefig(picture, dpi=120)
    print(f"\n  {picture} shows {' x '.join(pair)}, level by level.")


def report(table: Table, picture: str) -> None:
    """Run the demonstration on a table, and print the results."""
    started = time.perf_counter()
    sizes = len(table.y_train), len(table.y_test), len(table.X_train.dtype.names)
    print(f"\n  {table.title}")
    print("  {:,} training rows, {:,} held out, {} fields\n".format(*sizes))
    model = compare(table)
    show_interactions(model, table, picture)
    print(f"  {time.perf_counter() - started:.0f} seconds in all.\n")


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_afm",
        description="Compare an attentional factorization machine with a linear model and boosted "
        "trees on a real table, and list its strongest interactions.",
    )
    parser.add_argument("--data", choices=["flights", "frappe"], default="flights")
    parser.add_argument("--data-home", help="folder in which the folder frappe is, or is made")
    parser.add_argument("--picture", default="interaction.png", help="file that is drawn")
    args = parser.parse_args(arguments)
    report(frappe(args.data_home) if args.data == "frappe" else flights(), args.picture)


if __name__ == "__main__":
    main()
