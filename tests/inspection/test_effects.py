"""pair_effect and field_effect: means by levels as plain loops over rows and pairs find them."""

import numpy as np
import pandas as pd
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model
from oracle import row_pairs

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor, make_field_pipeline
from sklearn_afm.inspection import field_effect, interaction_scores, pair_effect

# Columns of a ragged matrix as fields: rows have several entries of a field, or none.
FIELDS = {"a": slice(0, 4), "b": slice(4, 7), "c": slice(7, 9)}
COLUMNS = {"a": range(4), "b": range(4, 7), "c": range(7, 9)}


def add_crosses(model, n_outputs, rng):
    """Give a fitted model weights of pairs, as a fit would find them."""
    model.cross_columns_ = np.array([[0, 4], [1, 5], [2, 8], [4, 7]])
    weights = rng.normal(size=(n_outputs, 4))
    model.cross_weights_ = weights if n_outputs > 1 else weights[0]


def contributions(model, row, output):
    """What each pair (i, j), i < j, of a dense row adds, from the fitted attributes alone."""
    several = np.ndim(model.bias_) > 0
    v, p = model.embeddings_, model.projection_[output] if several else model.projection_
    crosses = model.cross_weights_[output] if several else model.cross_weights_
    cross_of = dict(zip(map(tuple, model.cross_columns_.tolist()), crosses))
    logits = {}
    for i, j in row_pairs(row):
        if hasattr(model, "attention_weight_"):
            product = v[i] * v[j] * row[i] * row[j]
            hidden = np.maximum(model.attention_weight_ @ product + model.attention_bias_, 0)
            logits[i, j] = model.attention_context_ @ hidden
    total = sum(np.exp(list(logits.values())))
    found = {}
    for i, j in row_pairs(row):
        score = p @ (v[i] * v[j]) * row[i] * row[j]
        if logits:
            score *= np.exp(logits[i, j]) / total * len(logits) / model.median_pairs_
        found[j, i] = score + cross_of.get((j, i), 0) * row[i] * row[j]
    return found


def mean_and_error(values, weights):
    """Weighted mean, and its standard error with the effective number of rows."""
    mean = np.average(values, weights=weights)
    n = sum(weights) ** 2 / sum(weights**2)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=weights))
    return mean, deviation / np.sqrt(n - 1) if len(values) > 1 else np.nan


CASES = [
    (AFMRegressor, 1, None),
    (FMRegressor, 1, None),
    (AFMRegressor, 3, 2),
    (AFMClassifier, 3, 1),
    (FMClassifier, 1, None),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].__name__}-{case[1]}")
def case(request, rng):
    """A model with crosses, real-valued rows, weights (some 0), and the output to explain."""
    Estimator, n_outputs, output = request.param
    X = ragged_matrix(rng, n_rows=40)
    X[:, 0] = np.where(X[:, 0] != 0, 1, 0)
    model = random_model(Estimator, X, n_outputs, rng)
    add_crosses(model, n_outputs, rng)
    weight = np.where(np.arange(len(X)) % 7 == 3, 0, rng.uniform(0.5, 2, size=len(X)))
    return model, X, weight, output


@pytest.mark.parametrize("pair", [("a", "b"), ("c", "a"), ("a", "a")])
def test_pair_effect_is_that_of_plain_loops(pair, case):
    model, X, weight, output = case
    found = pair_effect(
        model, X, pair, fields=FIELDS, output=output, sample_weight=weight, max_levels=None
    )
    cells = {}
    for number, row in enumerate(X):
        for (i, j), value in contributions(model, row, output or 0).items():
            for one, other in ((i, j), (j, i)):
                if one in COLUMNS[pair[0]] and other in COLUMNS[pair[1]] and weight[number]:
                    cells.setdefault((f"x{one}", f"x{other}"), []).append((value, weight[number]))
    assert np.count_nonzero(found.count) == len(cells) > 4
    for i, first in enumerate(found.first_levels):
        for j, second in enumerate(found.second_levels):
            values, weights = np.array(cells.get((first, second), np.empty((0, 2)))).T
            assert found.count[i, j] == len(values)
            if not len(values):
                assert np.isnan(found.mean[i, j])
                continue
            expected = mean_and_error(values, weights)
            np.testing.assert_allclose(found.mean[i, j], expected[0], rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(found.std_error[i, j], expected[1], rtol=1e-6, atol=1e-9)
    frame = found.to_frame()
    assert frame.columns.tolist() == ["first", "second", "mean", "std_error", "count"]
    assert {*zip(frame["first"], frame["second"])} == set(cells)


@pytest.mark.parametrize("max_levels", [None, 2])
def test_field_effect_is_that_of_plain_loops(max_levels, case):
    model, X, weight, output = case
    found = field_effect(
        model, X, "a", fields=FIELDS, output=output, sample_weight=weight, max_levels=max_levels
    )
    linear_weights = np.atleast_2d(model.linear_weights_)[output or 0]
    linear, total, weights = {}, {}, {}
    for number, row in enumerate(X):
        pairs = contributions(model, row, output or 0)
        for column in COLUMNS["a"]:
            if row[column] and weight[number]:
                own = linear_weights[column] * row[column]
                linear.setdefault(f"x{column}", []).append(own)
                with_it = sum(value for pair, value in pairs.items() if column in pair)
                total.setdefault(f"x{column}", []).append(own + with_it)
                weights.setdefault(f"x{column}", []).append(weight[number])
    assert found.n_levels == 4
    assert len(found.levels) == (max_levels or 4)
    every = np.concatenate(list(weights.values()))
    for values, name in ((linear, "linear"), (total, "total")):
        center = np.average(np.concatenate(list(values.values())), weights=every)
        for number, level in enumerate(found.levels):
            mean, error = mean_and_error(np.array(values[level]), np.array(weights[level]))
            np.testing.assert_allclose(found[name][number], mean - center, rtol=1e-6, atol=1e-9)
            errors = found[f"{name}_std_error"]
            np.testing.assert_allclose(errors[number], error, rtol=1e-6, atol=1e-9)
    assert (np.diff(found.total) <= 0).all()
    if max_levels:
        kept = sorted(weights, key=lambda level: -sum(weights[level]))[:2]
        assert set(found.levels) == set(kept)


def test_the_effects_add_up_to_the_pair_s_contributions():
    model, X, _ = fitted_pipeline(AFMRegressor(max_iter=5, random_state=0))
    found = pair_effect(model, X, ("b", "e"))
    scores = interaction_scores(model, X)
    of_pair = [
        {first[0], second[0]} == {"b", "e"}
        for first, second in zip(scores.first_name, scores.second_name)
    ]
    assert found.count.sum() == len(X)
    np.testing.assert_allclose(
        (found.mean * found.count).sum(), scores.contribution[of_pair].sum(), rtol=1e-6
    )
    swapped = pair_effect(model, X, ("e", "b"))
    by_names = {
        (second, first): mean
        for first, second, mean in swapped.to_frame()[["first", "second", "mean"]].to_numpy()
    }
    for first, second, mean in found.to_frame()[["first", "second", "mean"]].to_numpy():
        assert by_names[first, second] == pytest.approx(mean)


def test_like_levels_are_neighbours():
    """The levels of a product of signs: in a picture, blocks of one colour."""
    model, X, _ = fitted_pipeline(AFMRegressor(max_iter=30, random_state=0))
    signs = np.sign(pair_effect(model, X, ("b", "e")).mean)
    block = np.outer([1, 1, -1, -1], [1, 1, -1, -1])
    assert (signs == block).all() or (signs == -block).all()


@pytest.fixture
def frame(rng):
    return pd.DataFrame(
        {
            "size": rng.normal(size=600).round(3),
            "colour": rng.choice(["red", "green", "blue"], size=600),
            "age": np.where(rng.random(600) < 0.1, np.nan, rng.integers(0, 90, size=600)),
            "city": rng.integers(0, 40, size=600).astype(str),
        }
    )


def test_neighbouring_bins_become_one(frame):
    model = make_field_pipeline(FMRegressor(max_iter=2, crosses=None)).fit(frame, frame["size"])
    found = pair_effect(model, frame, ("age", "city"), max_levels=6)
    assert found.n_levels == (6, 40)
    assert found.first_levels[-1] == "missing"
    assert found.first_levels[0].startswith("below ")
    edges = [float(name.rpartition(" ")[2]) for name in found.first_levels[:-2]]
    assert len(found.second_levels) == 6
    cities = frame["city"].isin(found.second_levels)
    binned = np.searchsorted(edges, frame["age"][cities], side="right")
    binned[frame["age"][cities].isna()] = 5
    np.testing.assert_array_equal(found.count.sum(1), np.bincount(binned, minlength=6))
    assert found.count.sum(1)[:5].min() > 60 * cities.mean()


def test_a_row_with_two_knots_of_a_merged_level_counts_once(frame):
    model = make_field_pipeline(AFMRegressor(max_iter=2), numbers="linear", n_bins=12)
    model.fit(frame, frame["size"])
    found = field_effect(model, frame, "size", max_levels=2)
    encoded = model[:-1].transform(frame)
    knots = encoded[:, [name.startswith("size near") for name in model[0].get_feature_names_out()]]
    assert found.levels[0].count(" to ") == found.levels[1].count(" to ") == 1
    assert len(frame) <= found.count.sum() < knots.nnz
    one = field_effect(model, frame, "size", max_levels=1)
    scores = interaction_scores(model, frame)
    of_size = [
        "size near" in f"{first} {second}"
        for first, second in zip(scores.first_name, scores.second_name)
    ]
    added = np.bincount(scores.row[of_size], scores.contribution[of_size], len(frame))
    added += knots @ model[-1].linear_weights_[: knots.shape[1]]
    error = added.std(ddof=1) / np.sqrt(len(frame))
    np.testing.assert_allclose(one.total_std_error, error, rtol=1e-4)


@pytest.mark.parametrize("has_missing", [True, False])
def test_a_number_in_one_column_is_divided_into_bins(has_missing, frame):
    """The bins are those of the numbers as given, before they were standardised."""
    model = make_field_pipeline(AFMRegressor(max_iter=2), numbers="standard")
    model.fit(frame, frame["size"])
    field = "age" if has_missing else "size"
    found = field_effect(model, frame, field)
    edges = [float(name.rpartition(" ")[2]) for name in found.levels[: -2 if has_missing else -1]]
    values = frame[field].dropna()
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    assert len(edges) > 5
    # Ends are written with three digits or more.
    assert np.abs(found.count[: len(counts)] - counts).max() <= 3
    assert found.count.sum() == len(frame)
    assert (found.levels[-1] == "missing") == has_missing
    slope = np.diff(found.linear[: len(counts)])
    assert (slope > 0).all() or (slope < 0).all()


def test_errors(case):
    model, X, _, output = case
    options = {"fields": FIELDS, "output": output}
    with pytest.raises(ValueError, match=r"'d' is no field\. The fields are \['a', 'b', 'c'\]"):
        pair_effect(model, X, ("a", "d"), **options)
    with pytest.raises(ValueError, match="pair='ab' must be the names of two fields"):
        pair_effect(model, X, "ab", **options)
    with pytest.raises(ValueError, match="max_levels=0 must be an int"):
        field_effect(model, X, "a", max_levels=0, **options)
    with pytest.raises(ValueError, match="No row of X has an entry in the field 'c'"):
        field_effect(model, np.where(np.arange(9) < 7, X, 0), "c", **options)
    alone = np.eye(9)
    with pytest.raises(ValueError, match="No row of X has a pair of the fields 'a' and 'b'"):
        pair_effect(model, alone, ("a", "b"), **options)
    if np.ndim(model.bias_):
        with pytest.raises(ValueError, match="pair_effect needs one output"):
            pair_effect(model, X, ("a", "b"), fields=FIELDS)
