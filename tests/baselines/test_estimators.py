"""The estimators of all models: scikit-learn's checks, and what the house promises of each."""

import pickle
import warnings

import numpy as np
import pytest
import skops.io
from conftest import target_for
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator
from test_settings import section

from sklearn_afm import AFMRegressor, baselines
from sklearn_afm._core.training import trainer

ESTIMATORS = [getattr(baselines, name) for name in baselines.__all__]
REGRESSORS = [Estimator for Estimator in ESTIMATORS if hasattr(Estimator, "_learn_target")
              and not hasattr(Estimator, "predict_proba")]  # fmt: skip
BY_FIELD = [Estimator for Estimator in ESTIMATORS if Estimator._uses_fields]
HAVE_LAYERS = [E for E in ESTIMATORS if "hidden_layer_sizes" in E().get_params()]


def small(Estimator, **options):
    """An estimator that is quickly fitted."""
    layers = {"hidden_layer_sizes": (3, 2)} if Estimator in HAVE_LAYERS else {}
    return Estimator(**{"max_iter": 3, "embedding_dim": 2, "random_state": 0} | layers | options)


def ended(record):
    """End training after 5 epochs: some checks set max_iter to 1000."""
    return record["epoch"] >= 5


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_check_estimator(Estimator):
    model = small(Estimator, l2_linear=0.5, learning_rate=0.2, callbacks=[ended], max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        results = check_estimator(model, on_fail="raise")
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_docstrings(Estimator, one_hot_data):
    """Each parameter and fitted attribute has a line, and no word in braces is left."""
    X, y = one_hot_data
    model = small(Estimator).fit(X, target_for(Estimator, y))
    assert set(section(Estimator, "Parameters")) == set(model.get_params())
    fitted = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    documented = set(section(Estimator, "Attributes"))
    of_layers = {name for name in fitted | documented if name.startswith("layer_")}
    unlearnt = {"feature_names_in_"} | ({"l2_embedding_", "delta_"} - fitted)
    assert fitted - of_layers == documented - of_layers - unlearnt
    for word in ("{loss}", "{units}", "{notes}", "{parts}", "{start}", "{ridges}"):
        assert word not in Estimator.__doc__


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_stored_models_predict_the_same(Estimator, one_hot_data, tmp_path):
    X, y = one_hot_data
    y = np.digitize(y, [-1, 1]) if hasattr(Estimator, "predict_proba") else np.stack([y, -y], 1)
    model = small(Estimator).fit(X, y)
    expected = model._raw_scores(X)
    assert expected.shape == (300, 3 if hasattr(Estimator, "predict_proba") else 2)
    skops.io.dump(model, tmp_path / "model.skops")
    types = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    assert all(name.startswith("sklearn_afm.") for name in types)
    for stored in (
        pickle.loads(pickle.dumps(model)), skops.io.load(tmp_path / "model.skops", trusted=types)
    ):  # fmt: skip
        np.testing.assert_array_equal(stored._raw_scores(X), expected)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_fit_goes_on_from_a_checkpoint(Estimator, one_hot_data, tmp_path):
    X, y = one_hot_data
    options = {"early_stopping": True, "max_iter": 4, "dropout": 0.2, "l2_embedding": 1}
    expected = small(Estimator, **options).fit(X, y)

    def stop(record):
        if record["epoch"] == 3:
            raise RuntimeError("stopped")

    path = tmp_path / "fit.npz"
    stopped = small(Estimator, checkpoint=path, callbacks=[stop], **options)
    with pytest.raises(RuntimeError, match="stopped"):
        stopped.fit(X, y)
    assert path.exists()
    resumed = small(Estimator, checkpoint=path, **options).fit(X, y)
    np.testing.assert_array_equal(resumed.predict(X), expected.predict(X))


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_warm_start_goes_on_as_if_it_had_not_stopped(Estimator, one_hot_data):
    X, y = one_hot_data
    options = {"batch_size": 300, "averaging_decay": 0, "precision": "float64"}
    model = small(Estimator, max_iter=2, warm_start=True, **options).fit(X, y).fit(X, y)
    expected = small(Estimator, max_iter=4, **options).fit(X, y)
    np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_groups_of_one_row_change_only_rounding(Estimator, one_hot_data, monkeypatch):
    X, y = one_hot_data
    X = X[:60].tolil()
    X[:20, :5] = 0  # some rows are shorter than others
    X = X.tocsr()
    options = {"precision": "float64", "l2_linear": 0.5, "l2_embedding": 1}
    expected = small(Estimator, **options).fit(X, y[:60]).predict(X)
    monkeypatch.setattr(trainer, "MAX_TRAINING_COST", 1)
    found = small(Estimator, **options).fit(X, y[:60]).predict(X)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_stream_keeps_the_fields_of_its_first_call(Estimator, one_hot_data):
    X, y = one_hot_data
    model = small(Estimator, learning_rate=0.1)
    model.partial_fit(X[:100, :], y[:100])
    before = None if Estimator not in BY_FIELD else model.fields_.copy()
    model.partial_fit(X[100:101, :], y[100:101])  # alone, the row would show other fields
    assert np.isfinite(model.predict(X)).all()
    if before is not None:
        np.testing.assert_array_equal(model.fields_, before)


@pytest.mark.parametrize("Estimator", BY_FIELD)
def test_columns_of_later_calls_and_of_prediction_alone(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    fields = np.repeat(["a", "b", "c", "d"], 5)
    early = np.flatnonzero(X[:, [4]].toarray()[:, 0] == 0)
    model = small(Estimator, fields=fields)
    classes = {"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}
    model.partial_fit(X[early], y[early], **classes)
    unseen = model._raw_scores(X)  # column 4 counts for nothing
    model.partial_fit(X, y)
    assert model.embeddings_[4].any()
    assert np.abs(model._raw_scores(X) - unseen).max() > 0
    np.testing.assert_array_equal(model.fields_, fields)


@pytest.mark.parametrize("Estimator", BY_FIELD)
def test_bad_fields(Estimator, one_hot_data, rng, monkeypatch):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    with pytest.raises(ValueError, match=r"fields has the shape \(3,\), but X has 20 columns"):
        small(Estimator, fields=[0, 1, 1]).fit(X, y)
    model = small(Estimator, fields=np.repeat([0, 1], 10), warm_start=True).fit(X, y)
    model.set_params(fields=np.repeat([1, 0], 10))
    with pytest.raises(ValueError, match="fields has changed"):
        model.fit(X, y)
    monkeypatch.setattr("sklearn_afm._fit.setup.MAX_FIELDS", 3)
    with pytest.raises(ValueError, match=r"X has 4 fields.*takes up to 3. Give fields"):
        small(Estimator).fit(X, y)


@pytest.mark.parametrize("Estimator", BY_FIELD)
def test_one_field_of_all_columns_and_real_numbers(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    one = small(Estimator, fields=np.zeros(20)).fit(X, y)
    assert np.isfinite(one._raw_scores(X)).all()
    real = rng.normal(size=(300, 5))
    model = small(Estimator).fit(real, y)
    np.testing.assert_array_equal(model.fields_, np.arange(5))
    assert np.isfinite(model._raw_scores(real)).all()


@pytest.mark.parametrize("Estimator", [*HAVE_LAYERS, AFMRegressor])
@pytest.mark.parametrize("sizes", [(4, 0), (2.5,), [[1, 2]], ("many",)])
def test_bad_layers(Estimator, sizes, one_hot_data):
    X, y = one_hot_data
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=.* must be integers above 0"):
        Estimator(hidden_layer_sizes=sizes).fit(X, target_for(Estimator, y))


@pytest.mark.parametrize("Estimator", HAVE_LAYERS)
def test_layers_that_have_changed_since_the_fit(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = small(Estimator, warm_start=True).fit(X, y)
    for sizes in ((3,), (3, 2, 2)):
        model.set_params(hidden_layer_sizes=sizes)
        for call in (lambda: model.predict(X), lambda: model.fit(X, y)):
            with pytest.raises(ValueError, match="have changed since it was fitted"):
                call()
    model.set_params(hidden_layer_sizes=(4, 2))
    model.predict(X)
    with pytest.raises(ValueError, match="_size=4, but this estimator was fitted with 3"):
        model.fit(X, y)


def test_a_width_alone_is_one_layer(one_hot_data):
    X, y = one_hot_data
    models = [small(baselines.NFMRegressor, hidden_layer_sizes=sizes) for sizes in (3, [3])]
    found = [model.fit(X, y).predict(X) for model in models]
    np.testing.assert_array_equal(*found)


def test_order_of_layers_tells_checkpoints_apart(one_hot_data, tmp_path):
    X, y = one_hot_data

    def stop(record):
        raise RuntimeError("stopped")

    model = small(baselines.NFMRegressor, checkpoint=tmp_path / "fit.npz", max_iter=5)
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[lambda r: r["epoch"] == 2 and stop(r)]).fit(X, y)
    with pytest.raises(ValueError, match="other values of hidden_layer_sizes"):
        clone(model).set_params(hidden_layer_sizes=(2, 3)).fit(X, y)


def test_sparse_rows_of_one_or_no_entry(rng):
    X = sparse.csr_array(np.eye(6)[[0, 1, 2, 3, 4, 5] * 10])
    X = sparse.vstack([X, sparse.csr_array((5, 6))]).tocsr()
    y = rng.normal(size=65)
    for Estimator in REGRESSORS:
        assert np.isfinite(small(Estimator).fit(X, y).predict(X)).all()
