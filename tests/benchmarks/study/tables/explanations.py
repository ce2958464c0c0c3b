"""Explain the attention of a Frappe model: figures and pictures of docs/explanations.md."""

from pathlib import Path

import frames
import matplotlib
import numpy as np
import pandas as pd
from markdown import markdown
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

# A fixed strength of the linear part: embeddings and attention then explain all interactions.
SETTINGS = {
    "embedding_dim": 64,
    "l2_linear": 0.5,
    "l2_embedding": 3.0,
    "max_iter": 60,
    "random_state": 0,
}
SHOWN_ROWS = 60
METHODS = ("permute", "zero", "uniform")


def add_options(parser):
    """Add the options of this table."""
    parser.add_argument("--data", default="frappe", choices=["frappe", "made"], help="data set")
    parser.add_argument(
        "--images", type=Path, default=Path("docs/images"), help="folder of pictures"
    )


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", "made", "--images", str(folder / "pictures")]


# Measuring


def measure(options, results):
    """Fit the models, store the figures and draw the pictures."""
    matplotlib.use("Agg")
    X, y = read_part(options, "train")
    models = fit(X, y)
    costs = same_costs(X, y)
    X, y = read_part(options, "validation")
    model = models["AFM"]
    attention = pair_importance(model, X, statistic="attention")
    strength = pair_importance(model, X)
    changes = {
        method: permutation_pair_importance(model, X, y, method=method, random_state=0)
        for method in METHODS
    }
    results.add(
        {
            "costs": costs,
            "models": {name: quality(fitted, X, y) for name, fitted in models.items()},
            "fields": attention.fields.tolist(),
            "loss": changes["permute"].loss,
            "importances": {
                name: arrays(importance)
                for name, importance in {
                    "attention": attention, "|contribution|": strength, **changes
                }.items()
            },
            "variation": variation(model, X, y, attention),
            "table": str(interaction_table(model, X[:3], n_pairs=4)),
        }
    )  # fmt: skip
    draw(models, X, attention, strength, changes["permute"], options.images)


def read_part(options, part):
    """Return a frame of one column per field, and the targets, 1 or -1."""
    if options.data == "made":
        table = frames.load("made_clicks", None)
        return table.X.astype(str), 2.0 * table.y - 1
    rows = fetch_frappe(data_home=options.data_home, subset=part, download_if_missing=False)
    starts = [columns.start for columns in rows.fields.values()]
    levels = rows.data.indices.reshape(-1, len(starts)) - starts
    return pd.DataFrame(levels, columns=list(rows.fields)), rows.target


def fit(X, y):
    """Fit an AFM and an FM with the same settings."""
    models = {"AFM": AFMRegressor(**SETTINGS), "FM": FMRegressor(**SETTINGS)}
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    return {name: make_pipeline(encoder, model).fit(X, y) for name, model in models.items()}


def quality(model, X, y):
    """Return the validation RMSE and the epochs."""
    rmse = root_mean_squared_error(y, model.predict(X))
    return {"rmse": rmse, "best": model[-1].best_iter_, "epochs": model[-1].n_iter_}


def arrays(importance):
    """Return an importance of pairs as lists, for JSON. `order` begins with the largest."""
    spread = "std" if hasattr(importance, "std") else "std_error"
    return {
        "mean": importance.mean.tolist(),
        "spread": getattr(importance, spread).tolist(),
        "total": importance.total.tolist(),
        "order": np.transpose([importance.first, importance.second]).tolist(),
    }


def same_costs(X, y):
    """Measure whether an app always has the same cost, in logged and in drawn rows."""
    own = X[y == 1].groupby("item")["cost"].agg(["nunique", "first"])
    same = X["item"].map(own["first"]) == X["cost"]
    known = X["item"].isin(own.index)
    shares = {str(target): float(same[known & (y == target)].mean()) for target in (1, -1)}
    return {"one_cost": float((own["nunique"] == 1).mean()), "cost_of_the_app": shares}


def variation(model, X, y, attention):
    """Measure how much the attention varies by row, and how much by pair."""
    matrix = interaction_table(model, X, pairs=attention.pair_names).attention
    full = ~np.isnan(matrix).any(axis=1)
    matrix, y = matrix[full], y[full]
    ratio = matrix.std(0) / matrix.mean(0)
    return {
        "n_pairs": matrix.shape[1],
        "full_rows": int(full.sum()),
        "n_rows": len(X),
        "between_pairs": float(matrix.mean(0).var() / matrix.var()),
        "ratio": [float(np.median(ratio)), float(ratio.min()), float(ratio.max())],
        "largest": np.quantile(matrix.max(1), [0.05, 0.5, 0.95]).tolist(),
        "pair": list(attention.pair_names[0]),
        "by_target": {str(t): float(matrix[y == t, 0].mean()) for t in (1, -1)},
    }


def draw(models, X, attention, strength, change, images):
    """Save the pictures."""
    import matplotlib.pyplot as plt

    images.mkdir(parents=True, exist_ok=True)
    model = models["AFM"]

    def save(figure, name):
        figure.savefig(images / f"{name}.png", dpi=80)
        plt.close(figure)

    save(AttentionDisplay.from_estimator(model, X).figure_, "attention_fields")
    display = AttentionDisplay.from_estimator(model, X[:SHOWN_ROWS], kind="rows", n_pairs=45)
    save(display.figure_, "attention_rows")
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for ax, importance in zip(axes, (attention, strength, change)):
        PairImportanceDisplay(importance).plot(ax, n_pairs=12)
    save(figure, "pairs")
    save(InteractionDisplay.from_estimator(model, X, row=0).figure_, "prediction")
    save(HistoryDisplay.from_estimator(models).figure_, "history")


# Reporting


def report(lines, options):
    """Report the figures of the last run."""
    line = lines[-1]
    names, importances = line["fields"], line["importances"]
    parts = [
        report_costs(line["costs"]),
        *(
            f"{name}: validation RMSE {m['rmse']:.4f}, epoch {m['best']} kept of {m['epochs']}"
            for name, m in line["models"].items()
        ),
        report_pairs("largest mean attention", "attention", line),
        report_pairs("largest rise by permuting", "permute", line),
        report_fields(names, importances),
        report_variation(line["variation"]),
        report_agreement(importances),
        "\n```\n" + line["table"] + "\n```",
    ]
    return "\n".join(parts)


def report_costs(costs):
    """Report the shares of apps and of rows."""
    shares = [f"\napps with one cost in all training rows with y = 1: {costs['one_cost']:.3f}"]
    for target, share in costs["cost_of_the_app"].items():
        shares.append(f"rows with y = {target} that have the app's own cost: {share:.3f}")
    return "\n".join(shares)


def report_pairs(title, first, line):
    """Report the first eight pairs in the order of one importance."""
    names, importances = line["fields"], line["importances"]
    order, rows = importances[first]["order"], []
    for i, j in order[:8]:
        mean = {name: importance["mean"][i][j] for name, importance in importances.items()}
        spread = {name: importance["spread"][i][j] for name, importance in importances.items()}
        cells = [f"{mean['attention']:.4f} ({spread['attention']:.4f})"]
        cells += [f"{mean['|contribution|']:.4f}"]
        cells += [f"{mean[method]:.4f} ± {spread[method]:.4f}" for method in METHODS]
        rows.append([f"{names[i]} x {names[j]}", *cells])
    head = ["pair", "attention", "\\|contribution\\|", *METHODS]
    return (
        f"\nThe eight of {len(order)} pairs with the {title}; even attention: "
        f"{1 / len(order):.4f}; loss: {line['loss']:.4f}\n\n" + markdown(head, rows, "---").rstrip()
    )


def report_fields(names, importances):
    """Report the totals of the fields."""
    kinds = ["attention", "|contribution|", "permute"]
    totals = np.array([importances[kind]["total"] for kind in kinds])
    rows = [[names[f], *(f"{total:.4f}" for total in totals[:, f])] for f in np.argsort(-totals[0])]
    head = ["field", "attention", "\\|contribution\\|", "permute"]
    return "\n" + markdown(head, rows, "---").rstrip()


def report_variation(found):
    """Report how much the attention varies."""
    middle, least, most = found["ratio"]
    pair = " x ".join(found["pair"])
    return "\n".join(
        [
            f"\nrows with all {found['n_pairs']} pairs: {found['full_rows']:,} of "
            f"{found['n_rows']:,}",
            f"share of the variance of a_ij between pairs: {found['between_pairs']:.2f}",
            f"standard deviation over rows / mean: median of the pairs {middle:.2f}, from "
            f"{least:.2f} to {most:.2f}",
            "largest a_ij of a row, 5%, 50% and 95% quantile: "
            + ", ".join(f"{quantile:.3f}" for quantile in found["largest"]),
            *(
                f"mean attention of {pair} if y = {target}: {mean:.4f}"
                for target, mean in found["by_target"].items()
            ),
        ]
    )


def report_agreement(importances):
    """Report the rank correlation of the mean attention with the other measures."""
    pairs = tuple(np.transpose(importances["attention"]["order"]))
    means = {name: np.array(found["mean"])[pairs] for name, found in importances.items()}
    attention = means.pop("attention")
    lines = ["\nrank correlation over the pairs, with mean attention:"]
    lines += [f"- {name}: {spearmanr(attention, mean)[0]:.2f}" for name, mean in means.items()]
    other = spearmanr(means["|contribution|"], means["permute"])[0]
    return "\n".join([*lines, f"rank correlation of |contribution| with permute: {other:.2f}"])
