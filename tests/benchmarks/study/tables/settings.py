"""Losses by setting beside the default's, on the same folds: a table of docs/guide/tuning.md."""

import warnings

import frames
import numpy as np
from markdown import markdown, number
from results import say
from sklearn.metrics import log_loss, root_mean_squared_error

import sklearn_afm

SETTINGS = {
    "default": {},
    "`embedding_dim=64`": {"embedding_dim": 64},
    "`embedding_dim=4`": {"embedding_dim": 4},
    "`dropout=0.3`": {"dropout": 0.3},
    "`l2_attention=0.01`": {"l2_attention": 0.01},
    "`crosses=None, l2_embedding=10, field_aware=True`": {
        "crosses": None,
        "l2_embedding": 10,
        "field_aware": True,
    },
    "`crosses=None`": {"crosses": None},
}
BAYESIAN = "Bayesian FM, `max_iter=200`"


def add_options(parser):
    """Add the options of this table."""
    frames.add_option(parser, default="verbal_aggression")
    parser.add_argument("--rows", type=int, help="take so many rows, drawn at random")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds")


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", "made_clicks", "--folds", "2"]


def measure(options, results):
    """Fit every setting on every fold."""
    table = frames.load(options.data, options.data_home)
    kind = "Classifier" if table.task == "classification" else "Regressor"
    afm, bayesian = (getattr(sklearn_afm, name + kind) for name in ("AFM", "BayesianFM"))
    models = {name: afm(random_state=0, **settings) for name, settings in SETTINGS.items()}
    models[BAYESIAN] = bayesian(max_iter=200, random_state=0)
    for fold, (train, test) in enumerate(splits(table, options)):
        for name, model in models.items():
            loss = test_loss(sklearn_afm.make_field_pipeline(model), table, train, test)
            results.add({"setting": name, "fold": fold + 1, "loss": loss})
            say(f"{name}, fold {fold + 1}: {loss:.4f}")


def splits(table, options):
    """The random folds, of some rows if so asked."""
    kept = np.ones(len(table.y), dtype=bool)
    if options.rows:
        kept[:] = False
        kept[np.random.default_rng(0).choice(len(kept), options.rows, replace=False)] = True
    for train, test in table.splits["random"][: options.folds]:
        yield train[kept[train]], test[kept[test]]


def test_loss(model, table, train, test):
    """Fit a model on the training rows. Return its RMSE or log loss on the test rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about convergence
        model.fit(table.X.iloc[train], table.y[train])
    if table.task == "regression":
        return root_mean_squared_error(table.y[test], model.predict(table.X.iloc[test]))
    return log_loss(table.y[test], model.predict_proba(table.X.iloc[test])[:, 1])


def report(lines, options):
    """Report one row a setting: the difference to the default, and its standard error."""
    losses = {}
    for line in lines:
        losses.setdefault(line["setting"], []).append(line["loss"])
    default = np.array(losses.pop("default"))
    rows = []
    for name, found in losses.items():
        difference = np.array(found) - default[: len(found)]
        error = difference.std(ddof=1) / np.sqrt(len(found))
        rows.append([name, f"{difference.mean():+.4f}", number(error)])
    table = markdown(["setting", "difference", "standard error"], rows)
    return f"default: {default.mean():.4f}\n\n{table}"
