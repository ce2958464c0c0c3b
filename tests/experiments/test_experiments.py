"""The experiments: kept and resumed runs, measures, tables and pictures."""

import json

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import log_loss, roc_auc_score

from sklearn_afm import AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.experiments import __main__ as command
from sklearn_afm.experiments import _recipe, _runs
from sklearn_afm.experiments._attention_alone import measure_attention_alone, without_attention
from sklearn_afm.experiments._measures import accuracy
from sklearn_afm.experiments._new_pairs import PredictionKeeper, measure_new_pairs
from sklearn_afm.experiments._recipe import COMMON, FOUND, RECIPES, SYSTEMS, draws, estimator
from sklearn_afm.experiments._rows import Rows
from sklearn_afm.experiments._studies import STUDIES
from sklearn_afm.experiments._tables import by, markdown, mean_and_deviation

FIELDS = {"user": slice(0, 10), "item": slice(10, 22), "weekday": slice(22, 29)}


@pytest.fixture(scope="module")
def rows():
    """Rows of users and items, target 1 if both have the same parity, in three parts."""
    rng = np.random.default_rng(0)
    levels = np.column_stack([rng.integers(0, n, 600) for n in (10, 12, 7)])
    columns = levels + [field.start for field in FIELDS.values()]
    indptr = np.arange(0, 1801, 3)
    X = sparse.csr_array((np.ones(1800, dtype=np.float32), columns.ravel(), indptr), (600, 29))
    y = np.where((levels[:, 0] + levels[:, 1]) % 2 == 0, 1.0, -1.0)
    y[rng.random(600) < 0.1] *= -1
    parts = slice(0, 300), slice(300, 450), slice(450, 600)
    arrays = [array for part in parts for array in (X[part], y[part])]
    return Rows(*arrays, FIELDS, np.array([f"c{column}" for column in range(29)]))


def a_run(**changes):
    parameters = {"embedding_dim": 3, "random_state": 0, "max_iter": 4, "batch_size": 50}
    parameters |= {"l2_linear": 0.5} | changes
    return _runs.Run({"model": "FM"}, FMRegressor(**parameters), ("frappe",))


def test_a_run_that_the_folder_has_is_not_repeated(rows, tmp_path, monkeypatch):
    runs = [a_run(), a_run(dropout=0.5)]
    first = _runs.results_of(runs, tmp_path, lambda name: rows)
    monkeypatch.setattr(FMRegressor, "fit", None)
    assert _runs.results_of([a_run(), a_run(dropout=0.5)], tmp_path, lambda name: rows) == first
    assert first[0]["measures"] != first[1]["measures"]
    with pytest.raises(TypeError):
        _runs.results_of([a_run(dropout=0.4)], tmp_path, lambda name: rows)


def test_an_interrupted_run_goes_on_to_the_same_result(rows, tmp_path, monkeypatch):
    whole = _runs.results_of([a_run()], tmp_path / "whole", lambda name: rows)[0]

    def interrupt(self, record):
        if record["epoch"] == 3:
            raise KeyboardInterrupt
        return False

    show = _runs.Progress.__call__
    monkeypatch.setattr(_runs.Progress, "__call__", interrupt)
    once = _runs.Run({"model": "FM"}, a_run().estimator, ("frappe",), resumes=False)
    for run in (once, a_run()):
        with pytest.raises(KeyboardInterrupt):
            _runs.results_of([run], tmp_path / "two", lambda name: rows)
        assert not list((tmp_path / "two").glob("*.json"))
    monkeypatch.setattr(_runs.Progress, "__call__", show)
    resumed = _runs.results_of([a_run()], tmp_path / "two", lambda name: rows)[0]
    assert resumed["measures"] == whole["measures"]
    assert [r["train_loss"] for r in resumed["history"]] == [
        r["train_loss"] for r in whole["history"]
    ]


def test_runs_differ_by_each_of_their_settings(tmp_path):
    parameters = a_run().estimator.get_params()
    shared = parameters.keys() & FMClassifier().get_params().keys()
    classifier = FMClassifier(**{name: parameters[name] for name in shared})
    runs = [
        a_run(),
        a_run(embedding_dim=4),
        a_run(random_state=1),
        _runs.Run({}, a_run().estimator, ("movielens_100k", 0)),
        _runs.Run({}, a_run().estimator, ("frappe",), measure_new_pairs),
        _runs.Run({}, classifier, ("frappe",)),
    ]
    assert len({run.file_in(tmp_path) for run in runs}) == len(runs)
    assert _runs.Run({"other": "label"}, a_run().estimator, ("frappe",)).file_in(
        tmp_path
    ) == a_run().file_in(tmp_path)


def test_accuracy_clips_as_the_paper_does(rows):
    model = FMRegressor(random_state=0, max_iter=30).fit(rows.X_train, 3 * rows.y_train)
    predicted = model.predict(rows.X_test)
    assert (np.abs(predicted) > 1).any()
    clipped = np.minimum(np.maximum(predicted, -1), 1)
    found = accuracy(model, rows)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((clipped - rows.y_test) ** 2)))
    assert found["auc"] == roc_auc_score(rows.y_test, predicted)
    assert found["parameters"] == 29 * 16 + 29 + 1


def test_accuracy_of_a_classifier(rows):
    model = FMClassifier(random_state=0, max_iter=5).fit(rows.X_train, rows.y_train)
    found = accuracy(model, rows)
    expected = log_loss(rows.y_test, model.predict_proba(rows.X_test))
    assert found["log_loss"] == pytest.approx(expected, rel=1e-12)


def test_an_afm_has_the_parameters_of_equation_6(rows):
    k, t = 5, 3
    model = AFMRegressor(k, t, max_iter=1).fit(rows.X_train, rows.y_train)
    assert accuracy(model, rows)["parameters"] == 29 * k + 29 + 1 + k + t * k + 2 * t


def test_without_attention_the_afm_is_its_fm(rows):
    options = {"random_state": 0, "max_iter": 20, "batch_size": 50, "l2_linear": 0.5}
    fm = FMRegressor(8, **options).fit(rows.X_train, rows.y_train)
    frozen = ("bias", "linear_weights", "embeddings", "projection")
    options |= {"init": fm, "freeze": frozen}
    model = AFMRegressor(8, 8, **options).fit(rows.X_train, rows.y_train)
    np.testing.assert_allclose(
        without_attention(model).predict(rows.X_test), fm.predict(rows.X_test), rtol=1e-5, atol=1e-6
    )
    found = measure_attention_alone(model, rows)
    assert found["rmse_fm"] == pytest.approx(accuracy(fm, rows)["rmse"], rel=1e-5)
    assert found["rmse"] == accuracy(model, rows)["rmse"] != found["rmse_fm"]
    for row in found["examples"]["rows"]:
        assert row["FM"]["attention"] == pytest.approx([1 / 3] * 3)
        assert row["FM"]["score"] == row["FM+A"]["score"]
        for terms in (row["FM"], row["FM+A"]):  # all three pairs of the fields
            total = np.dot(terms["attention"], terms["score"])
            assert terms["sum"] == pytest.approx(total, rel=1e-5, abs=1e-6)


def test_known_and_new_pairs(rows):
    options = {"max_iter": 3, "random_state": 0, "l2_linear": 0.5}
    model = AFMRegressor(4, 4, scoring=PredictionKeeper(), **options)
    model.fit(rows.X_train, rows.y_train, X_val=rows.X_val, y_val=rows.y_val)
    found = measure_new_pairs(model, rows)
    learnt = {
        tuple(row.indices[:2]) for row, y in zip(rows.X_train, rows.y_train) if y == 1
    }  # each row's columns are in the order of the fields
    kinds = [
        "negative" if y == -1 else "known" if tuple(row.indices[:2]) in learnt else "new"
        for row, y in zip(rows.X_val, rows.y_val)
    ]
    assert found["rows"] == {kind: kinds.count(kind) for kind in ("known", "new", "negative")}
    assert min(found["rows"].values()) > 5
    assert len(found["by_epoch"]) == 3
    last = found["by_epoch"][-1]
    error = (model.scoring.predictions[-1].clip(-1, 1) - rows.y_val) ** 2
    of_kind = [e for e, kind in zip(error, kinds) if kind == "new"]
    assert last["rmse new"] == pytest.approx(np.sqrt(np.mean(of_kind)))
    some = np.array(kinds) != "known"
    assert last["auc new"] == roc_auc_score(rows.y_val[some], model.scoring.predictions[-1][some])


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("model", list(SYSTEMS))
def test_the_recipe_sets_parameters_that_exist(model, task):
    parameters = estimator(model, task, 16, 3).get_params()
    recipe = dict(FOUND.get(model) or RECIPES[model, task])
    if "rate" in recipe:
        recipe["learning_rate"] = recipe.pop("rate") / 4
    assert recipe.items() <= parameters.items()
    assert (parameters["embedding_dim"], parameters["random_state"]) == (16, 3)


def test_draws_differ_and_stay_the_same():
    for model in SYSTEMS:
        settings = draws(model)
        assert settings == draws(model)
        assert len({str(each) for each in settings}) > len(settings) / 2
        for each in settings:
            made = estimator(model, "regression", 16, 0, **each)
            assert made.l2_embedding == each["l2_embedding"]
            if "rate" in each:
                assert made.learning_rate == each["rate"] / 4


def test_tables():
    assert markdown(["a", "b"], [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
    results = [{"model": m, "measures": {"rmse": v}} for m, v in zip("BAB", (1.0, 5.0, 3.0))]
    groups = by(results, "model")
    assert list(groups) == ["B", "A"]
    assert mean_and_deviation(groups["B"], "rmse") == "2.0000 ± 1.4142"
    assert mean_and_deviation(groups["A"], "rmse") == "5.0000"
    assert mean_and_deviation(groups["A"], "auc") == ""


@pytest.mark.parametrize("name", list(STUDIES))
def test_each_experiment_writes_numbers_table_and_picture(
    name, rows, tmp_path, monkeypatch, capsys
):
    for data_set in ("frappe", "movielens_tags"):
        monkeypatch.setattr(command._rows, data_set, lambda data_home, part: rows)
    monkeypatch.setattr(command._rows, "movielens_100k", lambda data_home, seed: rows)
    monkeypatch.setitem(COMMON, "max_iter", 2)
    monkeypatch.setitem(COMMON, "batch_size", 100)
    monkeypatch.setattr(_recipe, "N_DRAWS", 2)
    monkeypatch.setitem(_recipe.SAMPLERS["LibFM, Gibbs sampling"].own, "max_iter", 5)
    command.main([name, "--out", str(tmp_path), "--embedding-dim", "2", "--seeds", "2"])
    results = json.loads((tmp_path / f"{name}.json").read_text())
    assert {result["seed"] for result in results} == {0, 1}
    table = (tmp_path / f"{name}.md").read_text()
    for part in table.split("\n\n"):
        lines = [line.split(" | ") for line in part.splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) <= 1
    assert table.count("\n| ") >= 2
    assert (tmp_path / f"{name}.png").stat().st_size > 5000
    assert "0 of them done" in capsys.readouterr().out


def test_missing_data_says_what_to_do(tmp_path, monkeypatch):
    def refuse(data_home, part):
        raise OSError("put the file there")

    monkeypatch.setattr(command._rows, "frappe", refuse)
    with pytest.raises(SystemExit, match="put the file there"):
        command.main(["figure-5", "--out", str(tmp_path)])
