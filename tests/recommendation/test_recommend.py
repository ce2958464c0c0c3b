"""recommend against predictions of every pair, sorted."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import LinearSVC

from sklearn_afm import (
    AFMClassifier,
    AFMRegressor,
    BayesianFMClassifier,
    BayesianFMRegressor,
    FieldEncoder,
    FMClassifier,
    FMRegressor,
    baselines,
    make_field_pipeline,
)
from sklearn_afm._core.models import joined
from sklearn_afm.recommendation import _recommend, recommend

SHORT = {"embedding_dim": 3, "max_iter": 4, "random_state": 0}
N_LEVELS, N_OWN = 5, 2  # levels of a field; fields of a context


def one_hot_rows(levels):
    """One-hot rows of fields of `N_LEVELS` levels; -1 is a level that training has not seen."""
    return sparse.csr_array(
        (np.arange(N_LEVELS) == levels[..., None]).reshape(len(levels), -1) * 1.0
    )


@pytest.fixture(scope="module")
def table():
    """Rows of four fields, and a target of effects and interactions within and between sides."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, N_LEVELS, size=(500, 4))
    tables = [rng.normal(size=(N_LEVELS, N_LEVELS)) for _ in range(3)]
    pairs = [(0, 1), (0, 2), (1, 3)]
    y = sum(table[levels[:, i], levels[:, j]] for table, (i, j) in zip(tables, pairs))
    return levels, y + rng.normal(size=N_LEVELS)[levels[:, 0]]


def two_sides(levels, n_contexts=9, n_items=14):
    """Contexts and items of these rows; some lack a level, or all."""
    context, items = levels[:n_contexts].copy(), levels[20 : 20 + n_items].copy()
    context[:, N_OWN:], items[:, :N_OWN] = -1, -1
    context[1, 0] = context[2, 1] = items[3, 2] = items[4, 3] = -1
    context[3], items[6] = -1, -1
    items[9], items[12] = items[2], items[2]  # ties
    return one_hot_rows(context), one_hot_rows(items)


def target_of(model, y):
    """Two classes for a classifier."""
    return np.where(y > np.median(y), "yes", "no") if is_classifier(model) else y


def scores_of(model, X):
    if not is_classifier(model):
        return model.predict(X)
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict_proba(X)[:, 1]


def scores_of_pairs(model, context, items):
    """Scores (n_contexts, n_items), a context at a time."""
    n_items = items.shape[0]
    return np.array(
        [
            scores_of(model, sparse.csr_array(context[np.full(n_items, row)] + items))
            for row in range(context.shape[0])
        ]
    )


def check(top, full, k, exclude=None, tolerance=1e-5):
    """`top` holds the best of `full`, by plain sorting."""
    assert top.indices.shape == top.scores.shape == (len(full), k)
    assert top.indices.dtype.kind == "i"
    excluded = np.zeros(full.shape, dtype=bool) if exclude is None else exclude != 0
    scale = tolerance * (1 + np.abs(full).max(initial=0))
    for row, (scores, indices, found) in enumerate(zip(full, top.indices, top.scores)):
        allowed = np.flatnonzero(~excluded[row])
        best = np.sort(scores[allowed])[::-1][:k]
        n_found = len(best)
        np.testing.assert_allclose(found[:n_found], best, atol=scale, rtol=0)
        assert (indices[n_found:] == -1).all()
        assert np.isnan(found[n_found:]).all()
        indices, found = indices[:n_found], found[:n_found]
        assert len(set(indices)) == n_found
        assert set(indices) <= set(allowed)
        np.testing.assert_allclose(found, scores[indices], atol=scale, rtol=0)
        falls = np.diff(found)
        assert (falls <= 0).all()
        assert (np.diff(indices)[falls == 0] > 0).all()


def fitted(Estimator, X, y, **options):
    model = Estimator(**SHORT | options)
    return model.fit(X, target_of(model, y))


OPTIONS = {
    "default": {},
    "no crosses": {"crosses": None},
    "all crosses": {"crosses": [(0, 1), (0, 2), (1, 3), (2, 3)]},
    "stream of one strength": {"l2_linear": 0.5, "l2_embedding": 1.0},
    "float64": {"precision": "float64"},
}
OF_AFM = {
    "of fields": {"field_aware": True},
    "unscaled": {"row_scaling": None},
    "layers": {"hidden_layer_sizes": (4,)},
    "drawn pairs": {"max_pairs": 2},
}
CASES = [
    *((E, name) for E in (FMRegressor, FMClassifier) for name in OPTIONS),
    *((E, name) for E in (AFMRegressor, AFMClassifier) for name in OPTIONS | OF_AFM),
]


@pytest.mark.parametrize(("Estimator", "name"), CASES)
def test_factorization_machines(Estimator, name, table, monkeypatch):
    levels, y = table
    model = fitted(Estimator, one_hot_rows(levels), y, **(OPTIONS | OF_AFM)[name])
    context, items = two_sides(levels)
    full = scores_of_pairs(model, context, items)
    if name != "layers":
        monkeypatch.setattr(joined, "every_pair", None)  # to build rows is an error
    for k in (1, 5, 14, 20):
        check(recommend(model, context, items, k=k), full, k)
    top = recommend(model, context, items, k=14)
    assert top.scores.std() > 0.1
    ties = np.array([[list(row).index(item) for item in (2, 9, 12)] for row in top.indices])
    assert (np.diff(ties) == 1).all()


def test_the_model_of_these_rows_has_crosses_and_unseen_levels(table):
    """Else the test above would say nothing of them."""
    levels, y = table
    for Estimator in (FMRegressor, AFMClassifier):
        model = fitted(Estimator, one_hot_rows(levels), y)
        sides = np.sort(model.cross_columns_ // (N_OWN * N_LEVELS), axis=1)
        assert {tuple(side) for side in sides} >= {(0, 0), (0, 1)}
        assert np.isfinite(model.unseen_mean_).all()
        assert np.abs(model.unseen_mean_).max() > 0.01


@pytest.mark.parametrize("name", baselines.__all__)
def test_models_without_a_short_cut(name, table):
    levels, y = table
    Estimator = getattr(baselines, name)
    model = fitted(Estimator, one_hot_rows(levels), y, max_iter=2)
    context, items = two_sides(levels, 5, 14)
    check(recommend(model, context, items, k=6), scores_of_pairs(model, context, items), 6)


@pytest.mark.parametrize(
    "model",
    [
        BayesianFMRegressor(max_iter=10, random_state=0),
        BayesianFMClassifier(max_iter=10, random_state=0),
        Ridge(),
        LogisticRegression(),
        LinearSVC(),
        BernoulliNB(),
        RandomForestRegressor(5, random_state=0),
        GridSearchCV(FMRegressor(**SHORT), {"dropout": [0.0, 0.1]}, cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_other_estimators(model, table, monkeypatch):
    monkeypatch.setattr(_recommend, "SCORES_AT_ONCE", 60)  # four contexts
    monkeypatch.setattr(_recommend, "ROWS_AT_ONCE", 50)
    levels, y = table
    model.fit(one_hot_rows(levels), target_of(model, y))
    context, items = two_sides(levels)
    check(recommend(model, context, items, k=6), scores_of_pairs(model, context, items), 6)


@pytest.mark.parametrize("Estimator", [FMRegressor, AFMClassifier])
def test_columns_of_real_values_some_of_them_centred(Estimator):
    """A centred column has an entry in rows where X has none: it must count once."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(300, 6)), 1)
    X[:, [1, 4]] += 20
    model = fitted(Estimator, X, X[:, 0] * X[:, 3] + X[:, 1] + X[:, 4], precision="float64")
    assert np.flatnonzero(model.column_mean_).tolist() == [1, 4]
    context, items = X[:8].copy(), X[8:20].copy()
    context[:, 3:], items[:, :3] = 0, 0
    items[2:4, 4] = 0
    full = np.array([scores_of(model, row + items) for row in context])
    for make in (np.asarray, sparse.csr_matrix, sparse.coo_array):
        check(recommend(model, make(context), make(items), k=5), full, 5, tolerance=1e-10)
    check(recommend(model, context[:1], items, k=5), full[:1], 5, tolerance=1e-10)
    check(recommend(model, context, items[:1], k=2), full[:, :1], 2, tolerance=1e-10)
    frames = [pd.DataFrame(X, columns=list("abcdef")), *map(pd.DataFrame, (context, items))]
    model = fitted(Estimator, frames[0], X[:, 0] * X[:, 3], precision="float64")
    sides = (
        pd.DataFrame(context[:, :3], columns=list("abc")),
        pd.DataFrame(items[:, 3:], columns=list("def")),
    )
    full = np.array(
        [scores_of(model, pd.DataFrame(row + items, columns=list("abcdef"))) for row in context]
    )
    check(recommend(model, *sides, k=5), full, 5, tolerance=1e-10)


@pytest.fixture(scope="module")
def models(table):
    levels, y = table
    X = one_hot_rows(levels)
    values = X.copy()
    values.data = np.random.default_rng(0).choice([0.5, 1.0, 2.0, -1.0], X.nnz)
    return [
        fitted(Estimator, rows, y, precision="float64", **options)
        for rows in (X, values)
        for Estimator, options in (
            (FMRegressor, {}),
            (AFMRegressor, {}),
            (AFMClassifier, {"field_aware": True}),
        )
    ]


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_rows(models, data):
    """Rows of any entries, which may be alike, empty, or unlike those of training."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n_contexts, n_items = data.draw(st.integers(0, 6)), data.draw(st.integers(1, 9))
    density = data.draw(st.sampled_from([0.0, 0.1, 0.3, 1.0]))
    choices = data.draw(st.sampled_from([[1.0], [1.0, 2.0, -0.5]]))
    n_columns, n_own = 4 * N_LEVELS, N_OWN * N_LEVELS
    context, items = (
        rng.choice(choices, (n, n_columns)) * (rng.random((n, n_columns)) < density)
        for n in (n_contexts, n_items)
    )
    context[:, n_own:], items[:, :n_own] = 0, 0
    k = data.draw(st.integers(1, 12))
    exclude = rng.random((n_contexts, n_items)) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    model = data.draw(st.sampled_from(models))
    full = [scores_of(model, row + items) for row in context]
    full = np.array(full).reshape(n_contexts, n_items)
    top = recommend(model, context, items, k=k, exclude=sparse.csr_array(exclude * 1.0))
    check(top, full, k, exclude, tolerance=1e-9)


def test_what_is_excluded(table):
    levels, y = table
    model = fitted(FMRegressor, one_hot_rows(levels), y)
    context, items = two_sides(levels)
    full = scores_of_pairs(model, context, items)
    exclude = np.zeros(full.shape)
    exclude[0], exclude[1, :12], exclude[2, 5] = 1, -2, 0.5
    stored = sparse.csr_array(np.ones(full.shape))
    stored.data[:] = exclude.ravel()  # zeros that are stored exclude nothing
    for given_as in (exclude, exclude != 0, sparse.coo_array(exclude), stored):
        top = recommend(model, context, items, k=4, exclude=given_as)
        check(top, full, 4, exclude)
        assert (top.indices[0] == -1).all()
        assert (top.indices[1] >= 0).sum() == 2


def test_blocks_of_contexts_change_nothing(table, monkeypatch):
    levels, y = table
    model = fitted(AFMRegressor, one_hot_rows(levels), y)
    context, items = two_sides(levels)
    exclude = sparse.csr_array(np.eye(9, 14))
    whole = recommend(model, context, items, k=5, exclude=exclude)
    monkeypatch.setattr(_recommend, "SCORES_AT_ONCE", 30)  # two contexts
    parts = recommend(model, context, items, k=5, exclude=exclude)
    np.testing.assert_array_equal(parts.indices, whole.indices)
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5, atol=1e-5)


# Pipelines


def log_of(n_rows=300):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "user": rng.choice([f"u{i}" for i in range(9)], n_rows),
            "year": rng.integers(1960, 2020, n_rows),
            "hour": rng.integers(0, 24, n_rows),
            "item": rng.choice([f"i{i}" for i in range(12)], n_rows),
            "age": rng.normal(40, 10, n_rows).round(1),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n_rows), "D"),
        }
    )
    frame["genres"] = [["drama", "war", "farce"][: 1 + i % 3] for i in rng.integers(0, 3, n_rows)]
    y = frame["age"] / 10 + (frame["year"] > 1990) * (frame["user"] < "u4") * 3
    return frame, y.to_numpy()


OF_CONTEXT, OF_ITEM = ["hour", "user", "age", "when"], ["genres", "item", "year"]


def sides_of(frame):
    context, items = frame[OF_CONTEXT].iloc[5:12].copy(), frame[OF_ITEM].iloc[30:42].copy()
    context.iloc[0, 1], items.iloc[2, 1], context.iloc[3, 2] = "nobody", "nothing", np.nan
    return context, items


def scores_of_frames(model, context, items, columns):
    rows = []
    for number in range(len(context)):
        row = context.iloc[[number] * len(items)].reset_index(drop=True)
        frame = pd.concat([row, items.reset_index(drop=True)], axis=1)
        rows.append(scores_of(model, frame[columns]))
    return np.array(rows)


@pytest.mark.parametrize(
    ("Estimator", "encoding"),
    [
        (FMClassifier, {}),
        (AFMRegressor, {"numbers": "linear"}),
        (baselines.FwFMRegressor, {"numbers": "standard"}),
    ],
)
def test_a_pipeline_on_frames(Estimator, encoding, monkeypatch):
    frame, y = log_of()
    model = make_field_pipeline(Estimator(**SHORT), **encoding)
    model.fit(frame, target_of(model, y))
    context, items = sides_of(frame)
    full = scores_of_frames(model, context, items, list(frame))
    monkeypatch.setattr(_recommend, "_built_scorer", None)  # frames are joined for a few rows only
    check(recommend(model, context, items, k=20), full, 20)


def test_a_pipeline_on_polars_frames():
    frame, y = log_of()
    frame = frame.drop(columns=["genres", "when"])
    model = make_field_pipeline(FMRegressor(**SHORT)).fit(pl.from_pandas(frame), y)
    context, items = frame[["hour", "user", "age"]].iloc[:6], frame[["item", "year"]].iloc[:9]
    full = scores_of_frames(model, context, items, list(frame))
    check(recommend(model, *map(pl.from_pandas, (context, items)), k=5), full, 5)


def encoders():
    one_hot = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (one_hot, ["user", "item", "hour"]), (StandardScaler(), ["age"])
    )
    return {
        "columns": (columns, True),
        "search": (columns, True),
        "polynomials": (make_pipeline(columns, PolynomialFeatures(include_bias=False)), False),
        "normalised": (make_pipeline(columns, Normalizer()), False),
    }


@pytest.mark.parametrize("name", encoders())
def test_other_transformers(name, monkeypatch):
    """Those that mix columns are found, and are given rows that are built."""
    frame, y = log_of()
    frame = frame[["user", "hour", "item", "age"]]
    transformer, is_sum = encoders()[name]
    model = make_pipeline(transformer, FMRegressor(**SHORT, crosses=None))
    if name == "search":
        model = GridSearchCV(model, {"fmregressor__dropout": [0.1]}, cv=2)
    model.fit(frame, y)
    context, items = frame[["age", "hour", "user"]][:6], frame[["item"]][:9]
    full = scores_of_frames(model, context, items, list(frame))
    monkeypatch.setattr(_recommend, "_built_scorer" if is_sum else "_joined_scorer", None)
    check(recommend(model, context, items, k=5), full, 5)


@pytest.mark.parametrize("first", [True, False])
def test_a_mixture_that_one_pair_shows(first):
    """An encoder adds a column for one user with one item: the first ones, or neither of them."""

    class Mixing(FieldEncoder):
        def transform(self, X):
            both = (X["user"] == "u3").to_numpy() & (X["item"] == "i4").to_numpy()
            return sparse.csr_array(sparse.hstack([super().transform(X), both[:, None] * 1.0]))

    frame = pd.DataFrame({"user": [f"u{i % 5}" for i in range(200)]})
    frame["item"] = [f"i{i % 7}" for i in range(200)]
    y = (frame["user"] == "u3") * (frame["item"] == "i4") * 5.0
    model = make_pipeline(Mixing(), FMRegressor(**SHORT)).fit(frame, y)
    users, items = frame[["user"]][:5], frame[["item"]][:7]
    users, items = users.iloc[[0, 1, 2, 4, 3]], items.iloc[[1, 2, 3, 5, 4]]
    if first:
        users, items = users[::-1], items[::-1]
    full = scores_of_frames(model, users, items, list(frame))
    assert full.argmax() == (0 if first else 24)
    check(recommend(model, users, items, k=5), full, 5)


def test_indices_of_frames_do_not_matter():
    frame, y = log_of()
    model = make_field_pipeline(FMRegressor(**SHORT)).fit(frame, y)
    context, items = sides_of(frame)
    top = recommend(model, context, items, k=3)
    again = recommend(model, context.reset_index(drop=True), items.set_index(items["item"]), k=3)
    np.testing.assert_array_equal(top.indices, again.indices)


# What is refused


CASES_REFUSED = [
    "unfitted", "k", "k of float", "no items", "three classes", "two targets", "no scores",
    "widths", "overlap", "width of X", "text", "one dimension", "a frame and none", "two libraries",
    "columns twice", "columns missing", "columns too many", "exclude", "NaN", "too large",
]  # fmt: skip


@pytest.fixture(scope="module")
def refusals():
    frame, y = log_of(60)
    frame = frame[["user", "item", "year"]]
    model = make_field_pipeline(FMRegressor(**SHORT)).fit(frame, y)
    context, items = frame[["user"]][:4], frame[["item", "year"]][:3]
    X = np.eye(6)[np.arange(60) % 6] + np.eye(6)[(np.arange(60) // 6) % 6]
    three, two = np.arange(60) % 3, np.stack([y, y], axis=1)
    plain = FMRegressor(**SHORT).fit(X, y)
    a, b = np.eye(6)[:3], np.eye(6)[3:]
    return {
        "unfitted": ((FMRegressor(), a, b), {}, NotFittedError, "not fitted"),
        "k": ((plain, a, b), {"k": 0}, ValueError, "k == 0"),
        "k of float": ((plain, a, b), {"k": 2.5}, TypeError, "k must be"),
        "no items": ((plain, a, b[:0]), {}, ValueError, "items has no row"),
        "three classes": (
            (FMClassifier(**SHORT).fit(X, three), a, b), {}, ValueError, "3 classes.*one score",
        ),
        "two targets": (
            (FMRegressor(**SHORT).fit(X, two), a, b), {}, ValueError, "2 targets.*one score",
        ),
        "no scores": ((FieldEncoder().fit(X), a, b), {}, TypeError, "no method predict"),
        "widths": ((plain, a, b[:, :5]), {}, ValueError, "6 columns and items has 5"),
        "overlap": ((plain, a, np.eye(6)[2:]), {}, ValueError, "1 columns, first in column 2"),
        "width of X": ((plain, a[:, :5], b[:, :5]), {}, ValueError, "5 features"),
        "text": ((plain, [["a"]], [["b"]]), {}, TypeError, "context must be a frame"),
        "one dimension": ((plain, a, b[0]), {}, TypeError, "items must be.*1 dimension"),
        "a frame and none": ((model, context, b), {}, TypeError, "DataFrame and items is a"),
        "two libraries": (
            (model, context, pl.from_pandas(items)), {}, TypeError, "two frames of one library",
        ),
        "columns twice": (
            (model, context, frame), {}, ValueError, r"both have the columns \['user'\]",
        ),
        "columns missing": (
            (model, context, items[["item"]]), {}, ValueError, r"They lack \['year'\]",
        ),
        "columns too many": (
            (model, context, items.assign(title="x")), {}, ValueError, r"have \['title'\] beside",
        ),
        "exclude": (
            (plain, a, b), {"exclude": np.eye(2)}, ValueError, r"\(2, 2\).*3 contexts.*3 items",
        ),
        "NaN": ((plain, np.where(a, np.nan, 0), b), {}, ValueError, "NaN"),
        "too large": ((plain, a * 1e300, b * 1e300), {}, ValueError, "infinite or NaN"),
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES_REFUSED)
def test_what_is_refused(case, refusals):
    arguments, options, error, message = refusals[case]
    with pytest.raises(error, match=message):
        recommend(*arguments, **{"k": 2} | options)


@pytest.mark.parametrize("Estimator", [FMRegressor, AFMRegressor, baselines.NFMRegressor])
def test_a_score_beyond_all_numbers_in_a_later_pair(Estimator):
    """The first pair can be scored, another one cannot."""
    X = np.eye(4)[np.arange(40) % 4] + np.eye(4)[(np.arange(40) // 4) % 4]
    model = Estimator(**SHORT).fit(X, np.arange(40.0) % 7)
    context, items = np.diag([1.0, 1e300, 0, 0])[:2], np.eye(4)[2:]
    with pytest.raises(ValueError, match="first for context 1"):
        recommend(model, context, items, k=1)


def test_contexts_that_are_none(table):
    levels, y = table
    model = fitted(AFMRegressor, one_hot_rows(levels), y)
    context, items = two_sides(levels)
    top = recommend(model, context[:0], items, k=3)
    assert top.indices.shape == top.scores.shape == (0, 3)


GROWTH = """
import resource, sys
import numpy as np
from scipy import sparse
from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm.recommendation import _recommend, recommend

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def one_hot(numbers, n_columns):
    indptr = np.arange(len(numbers) + 1) * numbers.shape[1]
    shape = len(numbers), n_columns
    return sparse.csr_array((np.ones(numbers.size), numbers.ravel(), indptr), shape)

n, m = 3000, 1000
_recommend.SCORES_AT_ONCE = 1 << 18
rng = np.random.default_rng(0)
users = one_hot(np.stack([np.arange(n), n + np.arange(n) % 7], axis=1), n + m + 14)
items = one_hot(n + 7 + np.stack([np.arange(m), m + np.arange(m) % 7], axis=1), n + m + 14)
X = users + items[rng.integers(0, m, n)]
for Estimator in (FMRegressor, AFMRegressor):
    model = Estimator(embedding_dim=2, max_iter=1, l2_linear=1.0, l2_embedding=1.0, crosses=None,
                      early_stopping=False, device="cpu").fit(X, rng.normal(size=n))
    for n_contexts in (500, n):
        recommend(model, users[:n_contexts], items, k=5)
        print(peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss")
def test_memory_does_not_grow_with_the_contexts():
    """The scores of 2,500 more contexts are 20 MB."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GROWTH], capture_output=True, text=True, check=True
    )
    peaks = np.array(done.stdout.split(), dtype=float)
    assert len(peaks) == 4
    assert (np.diff(peaks)[[0, 2]] < 6).all(), peaks
