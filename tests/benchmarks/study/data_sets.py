"""Data sets: those of scikit-learn, those in `--data-home`, and a generated one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from sklearn_afm.datasets import fetch_frappe


@dataclass
class Table:
    """X and y, the encoder of X, and splits by name: "random", "groups" and "time"."""

    name: str
    task: str  # "regression" or "classification"
    X: object
    y: np.ndarray
    encoder: object | None
    splits: dict[str, list]


def folds(y, task):
    """Return five shuffled folds, stratified for classes."""
    kind = StratifiedKFold if task == "classification" else KFold
    return list(kind(5, shuffle=True, random_state=0).split(np.zeros(len(y)), y))


def consecutive_folds(y):
    """Return consecutive fifths of the rows, as the official folds of MovieLens 100K are."""
    return list(KFold(5).split(y))


def group_folds(groups):
    """Return five shuffled folds. All rows of a group are in the same fold."""
    return list(GroupKFold(5, shuffle=True, random_state=0).split(groups, groups=groups))


def windows(time):
    """Return five expanding windows: train on all rows before a time, test on the next tenth.

    The rows at 5, 6, 7, 8 and 9 tenths of the order in time give the times at which tests begin.
    Rows of one time (a year, a day) are never parted. Tests that begin at the same time are one.
    """
    time = np.asarray(time)
    starts = np.unique(np.sort(time)[[len(time) * tenth // 10 for tenth in range(5, 10)]])
    ends = [*starts[1:], np.inf]
    return [
        (np.flatnonzero(time < start), np.flatnonzero((start <= time) & (time < end)))
        for start, end in zip(starts, ends)
    ]


_SMALL = {
    "iris": (load_iris, "classification"),
    "wine": (load_wine, "classification"),
    "breast cancer": (load_breast_cancer, "classification"),
    "diabetes": (load_diabetes, "regression"),
    "digits": (load_digits, "classification"),
}


def small_tables(names=("iris", "wine", "breast cancer", "diabetes")):
    """Yield small data sets of scikit-learn, binned and one-hot encoded, and as real values."""
    for name in names:
        load, task = _SMALL[name]
        X, y = load(return_X_y=True)
        splits = {"random": folds(y, task)}
        bins = KBinsDiscretizer(5, encode="onehot", strategy="uniform")
        yield Table(f"{name}, binned", task, X, y, bins, splits)
        yield Table(f"{name}, real", task, X, y, StandardScaler(), splits)


def rare_levels():
    """Generate a click log of 20,000 rows: main effects of ids, most of them rare (Zipf)."""
    rng = np.random.default_rng(0)
    sizes = (8000, 4000, 2000, 50, 10)
    n_rows = 20_000
    columns, logits, start = [], np.full(n_rows, -1.5), 0
    for size in sizes:
        weights = 1 / np.arange(1, size + 1) ** 1.05
        levels = rng.choice(size, size=n_rows, p=weights / weights.sum())
        logits += rng.normal(0, 0.6, size)[levels]
        columns.append(start + levels)
        start += size
    indices = np.stack(columns, axis=1).ravel()
    indptr = np.arange(n_rows + 1) * len(sizes)
    X = sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=(n_rows, start))
    y = (rng.random(n_rows) < 1 / (1 + np.exp(-logits))).astype(int)
    splits = {"random": list(ShuffleSplit(3, test_size=0.2, random_state=0).split(X))}
    return Table("rare levels (made)", "classification", X, y, None, splits)


def adult(data_home):
    """Yield UCI Adult: is an income above 50K?

    Categories are one-hot encoded. The first table has binned numbers, the second standardised.
    """
    import pandas as pd

    frame = pd.read_csv(Path(data_home) / "adult" / "adult.data", skipinitialspace=True)
    frame = frame.rename(columns=str.strip)
    y = frame.iloc[:, -1].astype(str).str.strip().str.contains(">50K").to_numpy().astype(int)
    frame = frame.iloc[:, :-1]
    one_hot = OneHotEncoder(handle_unknown="ignore")
    text = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    real = make_column_transformer((one_hot, text), (StandardScaler(), numbers))
    bins = KBinsDiscretizer(10, encode="onehot", strategy="quantile", quantile_method="linear")
    binned = make_column_transformer((one_hot, text), (bins, numbers))
    splits = {"random": list(ShuffleSplit(2, test_size=0.2, random_state=0).split(frame))}
    yield Table("Adult, binned", "classification", frame, y, binned, splits)
    yield Table("Adult, real", "classification", frame, y, real, splits)


def movielens_ratings(data_home):
    """Load rating and time by user, item, age, gender, occupation, release year and genres."""
    import pandas as pd

    folder = Path(data_home) / "ml-100k"
    ratings = pd.read_csv(folder / "u.data", sep="\t", names=["user", "item", "rating", "time"])
    users = pd.read_csv(
        folder / "u.user", sep="|", names=["user", "age", "gender", "occupation", "zip"]
    )
    items = pd.read_csv(folder / "u.item", sep="|", encoding="latin-1", header=None)
    genres = items.iloc[:, 5:].to_numpy()
    items = pd.DataFrame(
        {
            "item": items[0],
            "year": items[2].astype(str).str[-4:],
            "genre": ["".join(map(str, row)) for row in genres],
        }
    )
    frame = ratings.merge(users, on="user").merge(items, on="item")
    frame["age"] = (frame["age"] // 5).astype(str)
    return frame.drop(columns="zip")


def movielens_100k(data_home, task="regression"):
    """Load the ratings, or whether a film was liked: a rating of 4 or more."""
    frame = movielens_ratings(data_home).drop(columns="time")
    y = frame.pop("rating").to_numpy(float)
    if task == "classification":
        y = (y >= 4).astype(int)
    splits = {"random": list(ShuffleSplit(2, test_size=0.2, random_state=0).split(frame))}
    encoder = OneHotEncoder(handle_unknown="ignore")
    name = "MovieLens 100K, " + ("rating" if task == "regression" else "liked")
    return Table(name, task, frame, y, encoder, splits)


def frappe_part(data_home, part):
    """Return one-hot rows (csr_array) and targets, 1 or -1, of a part of Frappe."""
    return fetch_frappe(
        data_home=data_home, subset=part, download_if_missing=False, return_X_y=True
    )


def frappe(data_home, task="regression"):
    """Load the Frappe rows of the AFM paper: training part and validation part."""
    X_train, y_train = frappe_part(data_home, "train")
    X_val, y_val = frappe_part(data_home, "validation")
    X = sparse.vstack([X_train, X_val], format="csr")
    y = np.concatenate([y_train, y_val])
    if task == "classification":
        y = y.astype(int)
    n_train = X_train.shape[0]
    splits = {"random": [(np.arange(n_train), np.arange(n_train, X.shape[0]))]}
    name = "Frappe, " + ("squared" if task == "regression" else "log loss")
    return Table(name, task, X, y, None, splits)


def encode(table, train, test):
    """Return the encoded training and test rows of one split."""
    X_train, X_test = (_rows(table.X, index) for index in (train, test))
    if table.encoder is None:
        return X_train, X_test
    encoder = make_pipeline(table.encoder).fit(X_train)
    return encoder.transform(X_train), encoder.transform(X_test)


def encoded_fold(table, fold):
    """Return encoded training rows and targets, then test rows and targets, of a random fold."""
    train, test = table.splits["random"][fold]
    X_train, X_test = encode(table, train, test)
    return X_train, table.y[train], X_test, table.y[test]


def _rows(X, index):
    return X.iloc[index] if hasattr(X, "iloc") else X[index]
