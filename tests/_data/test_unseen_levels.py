"""Rows of unseen levels: averaged over the levels of a field, by plain loops and by integration."""

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.special import expit, softmax
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm._core.losses.log_loss import BinaryLogLoss, MultinomialLogLoss
from sklearn_afm._raw_scores import scores_of_levels
from sklearn_afm.inspection import InteractionDisplay, interaction_scores, interaction_table

OPTIONS = {"embedding_dim": 3, "max_iter": 3, "random_state": 0, "early_stopping": False}


@pytest.fixture(scope="module")
def table():
    """Levels of three fields of 400 rows, an effect of each row, and the encoder."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, [12, 4, 3], size=(400, 3))
    effect = rng.normal(0, 2, 12)[levels[:, 0]] + rng.normal(0, 1, (12, 4))[tuple(levels.T[:2])]
    return levels, effect, OneHotEncoder(handle_unknown="ignore").fit(levels)


def targets(Estimator, effect):
    return (effect > 0).astype(int) if "Classifier" in Estimator.__name__ else effect


def without(X, columns):
    """The rows without their entries in some columns, by a dense array."""
    dense = X.toarray()
    dense[:, columns] = 0
    return sparse.csr_array(dense)


@pytest.mark.parametrize("Estimator", [FMRegressor, AFMRegressor, FMClassifier, AFMClassifier])
def test_a_row_that_lacks_fields_has_the_mean_over_their_levels(Estimator, table):
    levels, effect, encoder = table
    X = encoder.transform(levels)
    weight = np.random.default_rng(1).integers(1, 4, len(levels)).astype(float)
    model = Estimator(**OPTIONS).fit(X, targets(Estimator, effect), sample_weight=weight)
    fields = [slice(0, 12), slice(12, 16), slice(16, 19)]
    formula = scores_of_levels(model, sparse.csr_array(X))[:, 0]
    means, variances = [], []
    for columns in fields:
        added = formula - scores_of_levels(model, without(X, columns))[:, 0]
        means.append((weight * added).sum() / weight.sum())
        variances.append((weight * (added - means[-1]) ** 2).sum() / weight.sum())
    np.testing.assert_allclose(model.unseen_mean_, means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.unseen_variance_, variances, rtol=1e-5, atol=1e-6)
    new = np.array([[99, 1, 2], [3, 99, 99], [3, 1, 2]])
    encoded = sparse.csr_array(encoder.transform(new))
    expected = scores_of_levels(model, encoded)[:, 0]
    for row, lacked in ((0, [0]), (1, [1, 2])):
        expected[row] += sum(means[field] for field in lacked)
        if "Classifier" in Estimator.__name__:
            variance = sum(variances[field] for field in lacked)
            expected[row] /= np.sqrt(1 + np.pi / 8 * variance)
    np.testing.assert_allclose(model._raw_scores(encoded)[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("Estimator", [FMRegressor, FMClassifier])
def test_several_outputs(Estimator, table):
    levels, effect, encoder = table
    y = np.digitize(effect, [-1, 1])
    y = y if Estimator is FMClassifier else np.stack([effect, -2 * effect, y], axis=1)
    model = Estimator(**OPTIONS).fit(encoder.transform(levels), y)
    assert model.unseen_mean_.shape == model.unseen_variance_.shape == (3, 3)
    encoded = sparse.csr_array(encoder.transform([[99, 1, 2]]))
    expected = scores_of_levels(model, encoded) + model.unseen_mean_[:, 0]
    if Estimator is FMClassifier:
        # The variance of the difference of two logits, whose sum over three classes is 0.
        expected = expected / np.sqrt(1 + np.pi / 8 * 3 * model.unseen_variance_[:, 0].mean())
    np.testing.assert_allclose(model._raw_scores(encoded), expected, rtol=1e-5)


def test_a_field_that_training_rows_lack_is_left_as_it_is(table):
    levels, effect, encoder = table
    X = encoder.transform(levels).toarray()
    X[0, 12:16] = 0  # one training row lacks the second field
    X = np.hstack([X, np.linspace(1, 2, len(X))[:, None]])  # and a number is no level
    model = FMRegressor(**OPTIONS).fit(X, effect)
    assert np.isnan(model.unseen_mean_).tolist() == [False, True, False, True]
    row = X[5:6].copy()
    row[:, 12:] = 0
    row[:, 16] = 1
    found = model._raw_scores(row)
    np.testing.assert_allclose(found, scores_of_levels(model, centered_of(model, row)), rtol=1e-6)


def centered_of(model, row):
    mean = 0 if model.column_mean_ is None else model.column_mean_
    return sparse.csr_array(row - mean)


def test_two_entries_of_a_row_in_a_field_are_no_level(table):
    levels, effect, encoder = table
    X = encoder.transform(levels).toarray()
    X[0, 0:2] = 1
    X[1, 0:12] = 0  # as many entries as rows
    labels = np.repeat([0, 1, 2], [12, 4, 3])
    model = FMRegressor(fields=labels, **OPTIONS).fit(X, effect)
    assert np.isnan(model.unseen_mean_).tolist() == [True, False, False]


@pytest.mark.parametrize("Estimator", [AFMRegressor, AFMClassifier])
def test_explanations_add_up(Estimator, table):
    levels, effect, encoder = table
    model = Estimator(**OPTIONS).fit(encoder.transform(levels), targets(Estimator, effect))
    X = encoder.transform([[99, 1, 2], [3, 1, 2]])
    raw = model._raw_scores(X)[:, 0]
    found = interaction_table(model, X)
    assert found.unseen[0] != 0 == found.unseen[1]
    np.testing.assert_allclose(found.prediction, raw, rtol=1e-5)
    sums = model.bias_ + found.linear + found.interaction + found.unseen
    np.testing.assert_allclose(sums, raw, rtol=1e-5)
    scores = interaction_scores(model, X)
    sums = scores.bias + scores.linear + scores.interaction + scores.unseen
    np.testing.assert_allclose(sums, raw, rtol=1e-5)
    pytest.importorskip("matplotlib").use("Agg")
    display = InteractionDisplay.from_estimator(model, X, row=0)
    total = display.bias + display.values.sum() + display.unseen
    np.testing.assert_allclose(total, raw[0], rtol=1e-5)
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names[-1] == "mean over unseen levels"


def test_a_stream_keeps_what_the_fit_has_learnt(table):
    levels, effect, encoder = table
    X = encoder.transform(levels)
    model = FMRegressor(**OPTIONS).fit(X, effect)
    before = model.unseen_mean_.copy()
    model.partial_fit(X[:50], effect[:50])
    np.testing.assert_array_equal(model.unseen_mean_, before)
    fresh = FMRegressor(**OPTIONS).partial_fit(X, effect)
    assert np.isfinite(fresh.predict(encoder.transform([[99, 1, 2]]))).all()


@pytest.mark.parametrize("mean", [-3.0, -0.5, 1.0, 4.0])
@pytest.mark.parametrize("variance", [0.2, 2.0, 6.0])
def test_the_mean_probability_by_integration(mean, variance):
    grid = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    expected = expit(mean + np.sqrt(variance) * grid).mean()
    found = expit(BinaryLogLoss().averaged(np.array([[mean]]), np.array([[variance]])))
    np.testing.assert_allclose(found, expected, atol=0.025)


def test_the_mean_probabilities_of_classes_by_sampling():
    logits = np.array([[1.0, 0.0, -1.0, 0.5]])
    noise = np.random.default_rng(0).normal(0, 1.5, size=(200_000, 4))
    noise -= noise.mean(axis=1, keepdims=True)
    loss = MultinomialLogLoss(4)
    found = loss.predictions(loss.averaged(logits, noise.var(axis=0)[None]))
    np.testing.assert_allclose(found, softmax(logits + noise, axis=1).mean(0)[None], atol=0.03)
