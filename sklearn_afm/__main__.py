"""Demonstration: `python -m sklearn_afm [--data frappe [--data-home DIR]]`."""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from . import AFMClassifier, FMClassifier
from .datasets import fetch_frappe
from .inspection import pair_importance

GRID = {"afmclassifier__dropout": [0.0, 0.3], "afmclassifier__l2_attention": [1e-4, 1e-2]}
# Largest number of rows for the grid search, and for the list of interactions.
SEARCH_ROWS, LISTED_ROWS = 20_000, 2_000


@dataclass
class Table:
    """A table with one column per field, split into training rows and held-out rows."""

    title: str
    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    fields: list[str]
    encoder: object


def digits() -> Table:
    """Load scikit-learn's handwritten digits, as 16 patches with four levels of ink each."""
    images, target = load_digits(return_X_y=True)
    ink = images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    even = (target % 2 == 0).astype(int)
    parts = train_test_split(ink, even, test_size=0.3, stratify=target, random_state=0)
    fields = [f"row {row} column {column}" for row in range(1, 5) for column in range(1, 5)]
    encoder = KBinsDiscretizer(4, encode="onehot", strategy="kmeans", random_state=0)
    return Table("Handwritten digits: is it an even number?", *parts, fields, encoder)


def frappe(data_home: str | None) -> Table:
    """Load Frappe (Baltrunas et al., 2015): was this app used in this context?"""
    rows, used = {}, {}
    for subset in ("train", "validation"):
        try:
            part = fetch_frappe(data_home=data_home, subset=subset)
        except OSError as error:
            raise SystemExit(str(error)) from error
        rows[subset] = part.data.indices.reshape(-1, len(part.fields))
        used[subset] = (part.target > 0).astype(int)
    parts = rows["train"], rows["validation"], used["train"], used["validation"]
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    title = "Frappe: was this app used in this context?"
    return Table(title, *parts, list(part.fields), encoder)


def search(table: Table) -> tuple[dict, float]:
    """Find the best dropout and l2_attention by log loss, on the training rows or a sample."""
    rows = np.random.default_rng(0).permutation(len(table.y_train))[:SEARCH_ROWS]
    pipeline = make_pipeline(table.encoder, AFMClassifier(random_state=0, max_iter=50))
    grid = GridSearchCV(pipeline, GRID, scoring="neg_log_loss", cv=3, n_jobs=2)
    grid.fit(table.X_train[rows], table.y_train[rows])
    best = {name.split("__")[1]: value for name, value in grid.best_params_.items()}
    return best, -grid.best_score_


def strongest_pairs(pipeline, X, fields: list[str]) -> list[tuple[str, float, float]]:
    """Rank pairs of fields by mean |contribution| to the logit, with their mean attention."""
    effect = pair_importance(pipeline, X)
    attention = pair_importance(pipeline, X, statistic="attention").mean
    return [
        (f"{fields[i]} x {fields[j]}", attention[i, j], effect.mean[i, j])
        for i, j in zip(effect.first, effect.second)
    ]


def report(table: Table) -> None:
    """Run the demonstration on a table, and print the results."""
    started = time.perf_counter()
    print(f"\n  {table.title}")
    print(
        f"  {len(table.y_train):,} training rows, {len(table.y_test):,} held out, "
        f"{len(table.fields)} fields\n"
    )
    print("  Grid search over dropout and l2_attention, 3 folds ...", flush=True)
    best, loss = search(table)
    chosen = ", ".join(f"{name} = {value:g}" for name, value in best.items())
    print(f"  best: {chosen} (log loss {loss:.4f})\n")

    models = {
        "LogisticRegression": LogisticRegression(max_iter=1000),
        "FMClassifier": FMClassifier(random_state=0),
        "AFMClassifier, tuned": AFMClassifier(random_state=0, **best),
    }
    print(f"  {'held out':<22}{'log loss':>10}{'AUC':>9}{'fit':>9}")
    for name, model in models.items():
        fit_started = time.perf_counter()
        pipeline = make_pipeline(table.encoder, model).fit(table.X_train, table.y_train)
        seconds = time.perf_counter() - fit_started
        proba = pipeline.predict_proba(table.X_test)[:, 1]
        figures = log_loss(table.y_test, proba), roc_auc_score(table.y_test, proba)
        print(f"  {name:<22}{figures[0]:>10.4f}{figures[1]:>9.4f}{seconds:>7.1f} s", flush=True)

    listed = table.X_test[:LISTED_ROWS]
    pairs = strongest_pairs(pipeline, listed, table.fields)
    width = max(len(name) for name, *_ in pairs[:8])
    print(f"\n  The strongest of {len(pairs)} interactions, over {len(listed):,} held-out rows")
    print(f"  (even attention would be {100 / len(pairs):.2f}% each)\n")
    print(f"  {'':<{width}}{'attention':>11}{'effect on the logit':>22}")
    for name, attention, effect in pairs[:8]:
        bar = "#" * max(1, round(14 * effect / pairs[0][2]))
        print(f"  {name:<{width}}{100 * attention:>10.2f}%{effect:>8.3f} {bar}")
    print(f"\n  {time.perf_counter() - started:.0f} seconds in all.\n")


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_afm",
        description="Tune an attentional factorization machine on real data, and list its "
        "strongest interactions.",
    )
    parser.add_argument("--data", choices=["digits", "frappe"], default="digits")
    parser.add_argument("--data-home", help="folder in which the folder frappe is, or is made")
    args = parser.parse_args(arguments)
    if args.data == "frappe":
        report(frappe(args.data_home))
    else:
        report(digits())


if __name__ == "__main__":
    main()
