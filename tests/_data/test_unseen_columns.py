"""Columns without training rows, and matrices with very many columns."""

import numpy as np
import pytest
from conftest import ESTIMATORS, REGRESSORS, target_for
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

LEVELS = ["a", "b", "c", "d", "never", "nor this"]
SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}


@pytest.fixture
def levels(rng):
    """Rows of 3 fields that have only the first 4 of 6 levels."""
    X = rng.choice(np.array(LEVELS[:4], dtype=object), size=(120, 3))
    return X, (X[:, 0] == X[:, 1]) + 0.1 * (X[:, 2] == "a")


def encoder():
    return OneHotEncoder(categories=[LEVELS] * 3)


def scores(model, X):
    return getattr(model, "decision_function", model.predict)(X)


def unseen_column(X):
    """Replace the first field's level by one that no training row has."""
    X = X.copy()
    X[:, 0] = "never"
    return X


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    "options",
    [{}, {"dropout": 0.5}, {"optimizer": "adam"}, {"l2_embedding": 0, "l2_linear": 0},
     {"early_stopping": True, "scoring": None}, {"averaging_decay": 0}, {"batch_size": 1}],
    ids=str,
)  # fmt: skip
def test_a_listed_level_that_no_row_has_counts_like_none(Estimator, options, levels):
    X, y = levels
    model = make_pipeline(encoder(), Estimator(**SHORT, **options)).fit(X, target_for(Estimator, y))
    unseen = model[0].transform(unseen_column(X))
    absent = unseen.copy()
    absent.data[absent.indices == LEVELS.index("never")] = 0
    assert absent.nnz - np.count_nonzero(absent.data) == len(X)
    for n_rows in (1, 7, len(X)):
        expected = scores(model[1], absent[:n_rows])
        np.testing.assert_array_equal(scores(model[1], unseen[:n_rows]), expected)
        np.testing.assert_array_equal(
            scores(model, unseen_column(X[:n_rows])), scores(model[1], unseen[:n_rows])
        )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("how", ["warm start", "partial_fit"])
def test_a_column_that_comes_later_is_learnt_then(Estimator, how, levels, fixed_strengths):
    X, y = levels
    y = target_for(Estimator, y)
    early = encoder().fit(X).transform(X)
    late = encoder().fit(X).transform(unseen_column(X))
    column = LEVELS.index("never")
    model = Estimator(**SHORT, warm_start=how == "warm start", dropout=0.3)

    def learn(X):
        if how == "warm start":
            return model.fit(X, y)
        classes = np.unique(y) if hasattr(model, "predict_proba") else None
        return model.partial_fit(X, y, **({} if classes is None else {"classes": classes}))

    learn(early)
    assert not model.embeddings_[column].any()
    without = late.copy()
    without.data[without.indices == column] = 0
    np.testing.assert_array_equal(scores(model, late), scores(model, without))
    others = model.embeddings_[[4, 5, 10, 11]].copy()
    learn(late)
    assert model.embeddings_[column].all()
    assert model.linear_weights_[column] != 0
    assert not np.array_equal(scores(model, late), scores(model, without))
    # Columns that are still without training rows stay 0.
    np.testing.assert_array_equal(model.embeddings_[[5, 10, 11, 16]], 0)
    np.testing.assert_array_equal(others, 0)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_column_of_rows_without_weight_is_not_seen(Estimator, levels):
    X, y = levels
    y = target_for(Estimator, y)
    X[:5, 0] = "never"
    weight = np.ones(len(X))
    weight[:5] = 0
    model = make_pipeline(encoder(), Estimator(**SHORT))
    model.fit(X, y, **{f"{model.steps[1][0]}__sample_weight": weight})
    assert not model[1].embeddings_[LEVELS.index("never")].any()
    assert not model[1].linear_weights_[LEVELS.index("never")]


def wide(n_columns):
    columns = np.array([0, n_columns - 1, 5, n_columns - 2], dtype=np.int64)
    return sparse.csr_array((np.ones(4), columns, np.array([0, 2, 4])), shape=(2, n_columns))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_columns", [2**34, 2**40 + 2, 2**62])
def test_more_columns_than_memory_holds(Estimator, n_columns):
    """fit and partial_fit raise the error before they make an array of that size."""
    with pytest.raises(ValueError, match=rf"{n_columns} columns.*GiB"):
        Estimator(embedding_dim=8).fit(wide(n_columns), [0, 1])
    classes = {"classes": [0, 1]} if hasattr(Estimator, "predict_proba") else {}
    with pytest.raises(ValueError, match=rf"{n_columns} columns.*GiB"):
        Estimator(embedding_dim=8).partial_fit(wide(n_columns), [0, 1], **classes)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_wider_matrices_after_training_are_refused_by_their_width(Estimator):
    X, y = np.eye(4), np.array([0, 1, 0, 1])
    model = Estimator(max_iter=1, warm_start=True).fit(X, y)
    for call in (
        lambda X: model.predict(X),
        lambda X: model.partial_fit(X, [0, 1]),
        lambda X: Estimator(max_iter=1).fit(np.eye(4), y, X_val=X, y_val=[0, 1]),
    ):
        with pytest.raises(ValueError, match=r"4611686018427387904 features.*expecting 4"):
            call(wide(2**62))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_scratch_tables_count_as_memory(Estimator, monkeypatch):
    """With k = 1, counts and scales of the columns need more memory than the parameters."""
    from sklearn_afm._core import capacity

    n_columns = 1000
    monkeypatch.setattr(capacity, "_physical_memory", lambda: n_columns * 64)
    with pytest.raises(ValueError, match="1000 columns"):
        Estimator(embedding_dim=1).fit(wide(n_columns), [0, 1])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_rows", [1, 300])
def test_columns_never_seen_have_no_part_in_predictions(Estimator, n_rows, one_hot_data):
    X, y = one_hot_data
    wide = sparse.hstack([X, sparse.csr_array((300, 4))], format="csr")
    model = Estimator(**SHORT).fit(wide, target_for(Estimator, y))
    unseen = sparse.hstack([X, sparse.csr_array(np.ones((300, 4)))], format="csr")
    score = model.predict if Estimator in REGRESSORS else model.decision_function
    np.testing.assert_array_equal(score(unseen[:n_rows]), score(wide[:n_rows]))
    assert not model.embeddings_[20:].any()
    assert not model.linear_weights_[20:].any()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("scoring", ["loss", None])
def test_columns_never_seen_have_no_part_in_validation(Estimator, scoring, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    wide = sparse.hstack([X, sparse.csr_array((300, 4))], format="csr")
    unseen = sparse.hstack([X, sparse.csr_array(np.ones((300, 4)))], format="csr")
    records = []
    for X_val in (wide, unseen):
        model = Estimator(scoring=scoring, **SHORT)
        model.fit(wide[:200], y[:200], X_val=X_val[200:], y_val=y[200:])
        records.append([record["validation_loss"] for record in model.history_])
    assert records[0] == records[1]
