"""AFM beside linear models, boosted trees and an MLP on tables with many categories.

    python tests/benchmarks/study.py --data-home DIR --json FILE
    python tests/benchmarks/study_report.py FILE

Each result is a line appended to FILE; what stands there already is skipped. Predictions lie in a
folder beside it, for the blends.
"""

import argparse
import json
import os
import time
import warnings
from itertools import product
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries below are loaded

import numpy as np
import study_models
import study_tables
import torch
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import ParameterSampler, train_test_split

SETTINGS = ["untuned", "tuned"]
BLENDS = [f"AFM + {name}" for name in study_models.BOOSTINGS]
MODELS = [*study_models.CLASSES, *BLENDS]


class Results:
    """The lines of a file, by (table, setting, model, fold), and predictions beside it."""

    def __init__(self, path):
        self.path = Path(path)
        self.folder = self.path.with_suffix(".predictions")
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.lines = {}
        for line in map(json.loads, lines):
            self.lines[line["table"], line["setting"], line["model"], line["fold"]] = line

    def add(self, key, line, prediction):
        """Store what a job gave; the line comes last, since it says that the job is done."""
        np.save(self._prediction_path(key), prediction)
        line = dict(zip(("table", "setting", "model", "fold"), key)) | line
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.lines[key] = line

    def prediction(self, key):
        """Predictions of a job that is done."""
        return np.load(self._prediction_path(key))

    def _prediction_path(self, key):
        return self.folder / ("-".join(map(str, key)).replace(" ", "") + ".npy")


def run_job(table, key, results, trials, search_once):
    """Fit, time and measure one model on one fold."""
    name, setting, model_name, fold = key
    train, test = table.splits[fold]
    if model_name in BLENDS:
        parts = [(name, setting, part, fold) for part in model_name.split(" + ")]
        prediction = blend(table, [results.prediction(part) for part in parts])
        return measure(table, test, prediction), prediction
    line = {}
    parameters = {}
    if setting == "tuned":
        first = results.lines.get((name, setting, model_name, 0))
        if search_once and first:
            parameters = first["parameters"]
        else:
            line = search(table, model_name, train, trials)
            parameters = line["parameters"]
    model, fit_seconds = fit(table, model_name, parameters, train)
    started = time.process_time()
    prediction = predict(model, table, test)
    predict_seconds = time.process_time() - started
    line |= {"parameters": parameters, "fit_seconds": fit_seconds}
    line |= {"predict_seconds": predict_seconds}
    return line | measure(table, test, prediction), prediction


def search(table, model_name, train, trials):
    """The best of the defaults and of random draws, by a fifth of the training rows."""
    stratify = table.y[train] if table.task == "classification" else None
    inner, held_out = train_test_split(train, test_size=0.2, random_state=0, stratify=stratify)
    space = study_models.search_space(model_name, table.task)
    tried = []
    for parameters in [{}, *ParameterSampler(space, trials - 1, random_state=0)]:
        parameters = {key: plain(value) for key, value in parameters.items()}
        model, seconds = fit(table, model_name, parameters, inner)
        loss = measure(table, held_out, predict(model, table, held_out))["loss"]
        tried.append({"parameters": parameters, "loss": loss, "seconds": seconds})
    best = min(tried, key=lambda trial: trial["loss"])
    return {"parameters": best["parameters"], "trials": tried}


def plain(value):
    """A parameter as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def fit(table, model_name, parameters, rows):
    """A fitted model, and the CPU seconds it took with its encoding."""
    model = study_models.make_model(model_name, table, parameters)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence, and of levels not seen in training
        model.fit(table.X.iloc[rows], table.y[rows])
    return model, time.process_time() - started


def predict(model, table, rows):
    """Predicted values, or probabilities of the second class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if table.task == "regression":
            return model.predict(table.X.iloc[rows])
        return model.predict_proba(table.X.iloc[rows])[:, 1]


def blend(table, predictions):
    """The mean of predictions; of logits in classification."""
    if table.task == "regression":
        return np.mean(predictions, axis=0)
    smallest = np.finfo(float).eps
    return expit(np.mean([logit(np.clip(p, smallest, 1 - smallest)) for p in predictions], axis=0))


def measure(table, rows, prediction):
    """RMSE, or log loss and AUC."""
    y = table.y[rows]
    if table.task == "regression":
        return {"loss": root_mean_squared_error(y, prediction)}
    return {"loss": log_loss(y, prediction), "auc": roc_auc_score(y, prediction)}


def describe(table):
    """What the report says of a table."""
    categories = study_tables.is_category(table.X)
    levels = [int(table.X[column].nunique()) for column in table.X.columns[categories]]
    return {
        "task": table.task,
        "title": table.name,
        "n_rows": len(table.y),
        "levels": levels,
        "n_real": int((~categories).sum()),
    }


def seconds_left(jobs, seconds):
    """What the jobs will take: as the same job on other folds, or the mean of all."""
    if not seconds:
        return 0.0
    mean = np.mean([value for values in seconds.values() for value in values])
    return sum(np.mean(seconds.get(job[:3], mean)) for job in jobs)


def main():
    """Run the jobs that are not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", help="folder of adult, ml-100k and frappe")
    parser.add_argument("--json", required=True, help="append each result as a line to this file")
    tables = list(study_tables.LOADERS)
    parser.add_argument("--tables", nargs="+", default=tables, choices=tables)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--settings", nargs="+", default=SETTINGS, choices=SETTINGS)
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds")
    parser.add_argument("--trials", type=int, default=8, help="settings tried in a search")
    parser.add_argument(
        "--search-once", action="store_true", help="search on the first fold only, for all folds"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = Results(args.json)
    jobs = list(product(args.tables, args.settings, args.models, range(args.folds)))
    jobs = [job for job in jobs if job not in results.lines]
    jobs.sort(key=lambda job: (tables.index(job[0]), SETTINGS.index(job[1]), job[3]))
    seconds, name = {}, None
    for position, job in enumerate(jobs):
        if job[0] != name:
            name = job[0]
            table = study_tables.LOADERS[name](args.data_home)
            facts = describe(table)
        started = time.perf_counter()
        line, prediction = run_job(table, job, results, args.trials, args.search_once)
        results.add(job, facts | line, prediction)
        seconds.setdefault(job[:3], []).append(time.perf_counter() - started)
        left = seconds_left(jobs[position + 1 :], seconds) / 60
        print(
            f"{position + 1}/{len(jobs)}, {left:.0f} min left: {' '.join(map(str, job))}: "
            f"{line['loss']:.4f} after {seconds[job[:3]][-1]:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
