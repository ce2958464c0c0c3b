"""Raw frames: make_field_pipeline beside skrub's tabular_pipeline, on the first fold.

It is a table of docs/guide/frames.md. Without skrub only make_field_pipeline is measured.
"""

import importlib.util
import time
import warnings

import frames
from markdown import markdown, number
from results import say
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, root_mean_squared_error

from sklearn_afm import AFMClassifier, AFMRegressor, make_field_pipeline

TABLES = ("adult", "flights", "diamonds", "doctor_visits", "lecture_ratings", "movielens", "frappe")


def add_options(parser):
    """Options of this table."""
    parser.add_argument("--tables", nargs="+", default=TABLES, metavar="TABLE")


def quick(folder):
    """Command lines of a smoke run."""
    yield ["--tables", "made_clicks"]


def pipelines(task):
    """New pipelines, untuned."""
    classes = task == "classification"
    afm = AFMClassifier if classes else AFMRegressor
    made = {"make_field_pipeline, AFM": make_field_pipeline(afm(random_state=0))}
    if importlib.util.find_spec("skrub"):
        from skrub import tabular_pipeline

        task = "classifier" if classes else "regressor"
        made["tabular_pipeline, its default (HGB)"] = tabular_pipeline(task)
        linear = LogisticRegression() if classes else Ridge()
        made["tabular_pipeline, linear"] = tabular_pipeline(linear)
    return made


def measure(options, results):
    """Log loss or RMSE, and CPU seconds of fit and prediction."""
    for name in options.tables:
        table = frames.load(name, options.data_home)
        # pandas categories: of text, skrub takes digits for numbers and dates.
        X, (train, test) = table.X, table.splits["random"][0]
        for pipeline, model in pipelines(table.task).items():
            started = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about convergence
                model.fit(X.iloc[train], table.y[train])
            if table.task == "classification":
                loss = log_loss(table.y[test], model.predict_proba(X.iloc[test]))
            else:
                loss = root_mean_squared_error(table.y[test], model.predict(X.iloc[test]))
            seconds = time.process_time() - started
            line = {"table": table.name, "pipeline": pipeline, "loss": loss, "seconds": seconds}
            results.add(line)
            say(f"{table.name}, {pipeline}: {loss:.4f}, {seconds:.1f} s")


def report(lines, options):
    """A row per table: loss (seconds) of each pipeline."""
    found = {(line["table"], line["pipeline"]): line for line in lines}
    names = list(dict.fromkeys(line["pipeline"] for line in lines))
    rows = []
    for table in dict.fromkeys(line["table"] for line in lines):
        own = [found[table, name] for name in names if (table, name) in found]
        best = min(line["loss"] for line in own)
        cells = [f"{number(x['loss'], x['loss'] == best)} ({x['seconds']:.1f})" for x in own]
        rows.append([table, *cells])
    return markdown(["table", *names], rows)
