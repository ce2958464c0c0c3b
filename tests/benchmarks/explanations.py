"""What the attention of a model of Frappe says: figures and pictures of docs/explanations.md.

    python tests/benchmarks/explanations.py --data-home DIR [--images docs/images]

Prints Markdown. DIR holds the folder frappe, as docs/datasets.md has it.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm.datasets import fetch_frappe
from sklearn_afm.inspection import (
    AttentionDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairImportanceDisplay,
    interaction_table,
    pair_importance,
    permutation_pair_importance,
)

SETTINGS = {"embedding_dim": 64, "l2_embedding": 3.0, "max_iter": 60, "random_state": 0}
SHOWN_ROWS = 60


def read_part(data_home, part):
    """A frame of one column a field, levels numbered from 0, and the targets, 1 or -1."""
    rows = fetch_frappe(data_home=data_home, subset=part, download_if_missing=False)
    starts = [columns.start for columns in rows.fields.values()]
    levels = rows.data.indices.reshape(-1, len(starts)) - starts
    return pd.DataFrame(levels, columns=list(rows.fields)), rows.target


def fit(X, y):
    """An AFM and an FM with the same settings."""
    models = {"AFM": AFMRegressor(**SETTINGS), "FM": FMRegressor(**SETTINGS)}
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    return {name: make_pipeline(encoder, model).fit(X, y) for name, model in models.items()}


def report(models, X, y, images):
    """Print what the page says, and draw its pictures."""
    for name, model in models.items():
        rmse = root_mean_squared_error(y, model.predict(X))
        print(f"{name}: validation RMSE {rmse:.4f}, epoch {model[-1].best_iter_} kept of "
              f"{model[-1].n_iter_}")  # fmt: skip
    model = models["AFM"]
    attention = pair_importance(model, X)
    strength = pair_importance(model, X, statistic="abs_contribution")
    changes = {
        method: permutation_pair_importance(model, X, y, method=method, random_state=0)
        for method in ("permute", "zero", "uniform")
    }
    print_pairs("largest mean attention", attention, attention, strength, changes)
    print_pairs("largest rise by permuting", changes["permute"], attention, strength, changes)
    print_fields(attention, strength, changes["permute"])
    print_variation(model, X, y, attention)
    print_agreement(attention, strength, changes)
    print("\n```\n" + str(interaction_table(model, X[:3], n_pairs=4)) + "\n```")
    draw(models, X, attention, strength, changes["permute"], images)


def print_pairs(title, order, attention, strength, changes):
    """The first eight pairs in the order of one result."""
    print(f"\nThe eight of {len(order.first)} pairs with the {title}; even attention: "
          f"{1 / len(order.first):.4f}; loss: {changes['permute'].loss:.4f}\n")  # fmt: skip
    print("| pair | attention | \\|contribution\\| | " + " | ".join(changes) + " |")
    print("|---|---|---|" + "---|" * len(changes))
    for i, j in list(zip(order.first, order.second))[:8]:
        cells = [f"{attention.mean[i, j]:.4f} ({attention.std[i, j]:.4f})"]
        cells += [f"{strength.mean[i, j]:.4f}"]
        cells += [f"{c.mean[i, j]:.4f} ± {c.std_error[i, j]:.4f}" for c in changes.values()]
        print(f"| {order.fields[i]} x {order.fields[j]} | " + " | ".join(cells) + " |")


def print_fields(attention, strength, change):
    """Totals of the fields."""
    print("\n| field | attention | \\|contribution\\| | permute |\n|---|---|---|---|")
    for f in np.argsort(-attention.total):
        print(f"| {attention.fields[f]} | {attention.total[f]:.4f} | {strength.total[f]:.4f} | "
              f"{change.total[f]:.4f} |")  # fmt: skip


def print_variation(model, X, y, attention):
    """How much the attention varies by row, and how much by pair."""
    matrix = interaction_table(model, X, pairs=attention.pair_names).attention
    full = ~np.isnan(matrix).any(axis=1)
    print(f"\nrows with all {matrix.shape[1]} pairs: {full.sum():,} of {len(X):,}")
    matrix, y = matrix[full], y[full]
    print(f"share of the variance of a_ij between pairs: {matrix.mean(0).var() / matrix.var():.2f}")
    ratio = matrix.std(0) / matrix.mean(0)
    print(f"deviation over rows / mean: median of the pairs {np.median(ratio):.2f}, "
          f"from {ratio.min():.2f} to {ratio.max():.2f}")  # fmt: skip
    quantiles = np.quantile(matrix.max(1), [0.05, 0.5, 0.95])
    print("largest a_ij of a row, 5%, 50% and 95% quantile: "
          + ", ".join(f"{quantile:.3f}" for quantile in quantiles))  # fmt: skip
    pair = " x ".join(attention.pair_names[0])
    for target in (1, -1):
        print(f"mean attention of {pair} where y = {target}: {matrix[y == target, 0].mean():.4f}")


def print_agreement(attention, strength, changes):
    """Rank correlation of the mean attention with the other measures."""
    order = attention.first, attention.second
    print("\nrank correlation over the pairs, with mean attention:")
    for name, other in {"|contribution|": strength, **changes}.items():
        print(f"- {name}: {spearmanr(attention.mean[order], other.mean[order])[0]:.2f}")
    print("rank correlation of |contribution| with permute: "
          f"{spearmanr(strength.mean[order], changes['permute'].mean[order])[0]:.2f}")  # fmt: skip


def print_cost(X, y):
    """Whether an app always comes with the same cost, in logged and in drawn rows."""
    own = X[y == 1].groupby("item")["cost"].agg(["nunique", "first"])
    print(
        f"\napps with one cost in all training rows with y = 1: {(own['nunique'] == 1).mean():.3f}"
    )
    same = X["item"].map(own["first"]) == X["cost"]
    known = X["item"].isin(own.index)
    for target in (1, -1):
        print(f"rows with y = {target} whose cost is that of the app: "
              f"{same[known & (y == target)].mean():.3f}")  # fmt: skip


def draw(models, X, attention, strength, change, images):
    """Save the pictures."""
    import matplotlib.pyplot as plt

    images.mkdir(parents=True, exist_ok=True)
    model = models["AFM"]

    def save(figure, name):
        figure.savefig(images / f"{name}.png", dpi=80)
        plt.close(figure)

    values = np.where(attention.share > 0, attention.mean, np.nan)
    names = attention.fields.tolist()
    display = AttentionDisplay(values, names, names, label="mean attention").plot()
    save(display.figure_, "attention_fields")
    display = AttentionDisplay.from_estimator(model, X[:SHOWN_ROWS], kind="rows", n_pairs=45)
    save(display.figure_, "attention_rows")
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for ax, importance in zip(axes, (attention, strength, change)):
        PairImportanceDisplay(importance).plot(ax, n_pairs=12)
    save(figure, "pairs")
    save(InteractionDisplay.from_estimator(model, X, row=0).figure_, "prediction")
    save(HistoryDisplay.from_estimator(models).figure_, "history")


def main():
    """Fit, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", required=True)
    parser.add_argument("--images", type=Path, default=Path("docs/images"))
    args = parser.parse_args()
    matplotlib.use("Agg")
    X, y = read_part(args.data_home, "train")
    models = fit(X, y)
    print_cost(X, y)
    report(models, *read_part(args.data_home, "validation"), args.images)


if __name__ == "__main__":
    main()
