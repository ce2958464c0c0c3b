"""Losses with pairs that weigh alike (FM), by fields (FwFM), by attention (AFM), and by both.

It is a table of docs/study.md, "What attention is for". The linear part is learnt as by default.
Interactions are learnt by gradient descent alone, beside no crosses, with the strength of the
embeddings fixed: otherwise nearly all of them are fitted before training starts.
"""

import warnings
from itertools import product

import frames
import numpy as np
from fitting import measure_loss, predict
from markdown import markdown, number
from results import say

from sklearn_afm import (
    AFMClassifier,
    AFMRegressor,
    FMClassifier,
    FMRegressor,
    make_field_pipeline,
)
from sklearn_afm.baselines import FwFMClassifier, FwFMRegressor

MODELS = {
    "FM": (FMRegressor, FMClassifier, {}),
    "FwFM": (FwFMRegressor, FwFMClassifier, {}),
    "AFM": (AFMRegressor, AFMClassifier, {}),
    "AFM, field_aware": (AFMRegressor, AFMClassifier, {"field_aware": True}),
}
STRENGTHS = {"regression": 20.0, "classification": 10.0}


def add_options(parser):
    """Add the options of this table."""
    choices = [*frames.LOADERS, *frames.MADE]
    parser.add_argument("--data", nargs="+", default=list(frames.LOADERS), choices=choices)
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds")


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", *frames.MADE, "--folds", "1"]


def measure(options, results):
    """Fit every model on every fold of each table."""
    done = {(line["table"], line["fold"], line["model"]) for line in results.lines}
    for name in options.data:
        table = frames.load(name, options.data_home)
        for fold, (model, kind) in product(range(options.folds), MODELS.items()):
            if (table.name, fold, model) in done:
                continue
            cls = kind[table.task == "classification"]
            settings = kind[2] | {"l2_embedding": STRENGTHS[table.task], "crosses": None}
            pipeline = make_field_pipeline(cls(random_state=0, **settings))
            train, test = table.splits["random"][fold]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about levels without a training row
                pipeline.fit(table.X.iloc[train], table.y[train])
            loss = measure_loss(table, test, predict(pipeline, table, test))["loss"]
            spread = getattr(pipeline[-1], "attention_spread_", None)
            line = {"table": table.name, "fold": fold, "model": model, "loss": loss}
            results.add(line | {"spread": spread})
            say(f"{table.name}, fold {fold + 1}, {model}: {loss:.4f}, spread {spread}")


def report(lines, options):
    """Report one row per table: the loss of FM, and what the others have beside it."""
    rows = []
    for name in dict.fromkeys(line["table"] for line in lines):
        of_table = [line for line in lines if line["table"] == name]
        losses = {model: {} for model in MODELS}
        for line in of_table:
            losses[line["model"]][line["fold"]] = line["loss"]
        folds = sorted(set.intersection(*map(set, losses.values())))
        of_fm = np.array([losses["FM"][fold] for fold in folds])
        cells = [name, len(folds), number(of_fm.mean())]
        for model in list(MODELS)[1:]:
            gain = np.array([losses[model][fold] for fold in folds]) - of_fm
            error = gain.std(ddof=1) / np.sqrt(len(folds)) if len(folds) > 1 else np.nan
            cells.append(f"{gain.mean():+.4f} ({number(error) or '?'})")
        spreads = [line["spread"] for line in of_table if line["model"] == "AFM"]
        rows.append([*cells, f"{np.mean(spreads):.2f}"])
    others = [f"{model} - FM" for model in list(MODELS)[1:]]
    return markdown(["table", "folds", "FM", *others, "spread of AFM's attention"], rows)
