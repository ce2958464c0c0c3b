"""`python -m sklearn_afm` says what it has measured, on fewer rows here."""

import re

import numpy as np
import pytest

import sklearn_afm.__main__ as demonstration


@pytest.fixture
def small(monkeypatch):
    """The flights, every twentieth row; one setting more than the default in each grid."""
    table = demonstration.flights()
    table.X_train, table.y_train = table.X_train[::20], table.y_train[::20]
    table.X_test, table.y_test = table.X_test[::20], table.y_test[::20]
    table.folds.test_size = 100
    table.grid = {"afmclassifier__max_iter": [5, 2]}
    grids = {"LogisticRegression": {"logisticregression__C": [1.0, 0.1]}}
    monkeypatch.setattr(demonstration, "GRIDS", grids)
    monkeypatch.setattr(demonstration, "CELL_ROWS", 5)
    return table


def test_it_learns_from_the_first_half_of_the_year():
    table = demonstration.flights()
    assert len(table.y_train) + len(table.y_test) == 20_000
    assert 0.4 < len(table.y_train) / 20_000 < 0.6


def test_trees_get_codes_of_categories_and_the_numbers(small):
    trees = demonstration.boosting(small).fit(small.X_train, small.y_train)
    coded = trees[:-1].transform(small.X_train)
    np.testing.assert_array_equal(coded[:, 5].astype(int), small.X_train["hour"])
    carriers, codes = np.unique(small.X_train["carrier"], return_inverse=True)
    assert len(carriers) > 10
    np.testing.assert_array_equal(coded[:, 0].astype(int), codes)


def test_it_prints_losses_and_interactions_and_draws(small, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "interaction.png"
    demonstration.report(small, str(picture))
    printed = capsys.readouterr().out
    model = demonstration.models(small)["AFMClassifier"].fit(small.X_train, small.y_train)
    loss = demonstration.row_losses(model, small).mean()
    assert re.search(rf"AFMClassifier +{loss:.4f} ", printed)
    assert re.search(r"AFMClassifier, tuned +[+-]0\.\d{4} \(standard error 0\.\d{4}\)", printed)
    assert re.search(r"\w+ x \w+ +0\.\d{3} +[+-]\d\.\d\d at \w+ .+, \w+ ", printed)
    assert picture.stat().st_size > 5_000


def test_a_missing_data_set_ends_with_a_sentence(monkeypatch):
    def fails(**_):
        raise OSError("put it there")

    monkeypatch.setattr(demonstration, "fetch_frappe", fails)
    with pytest.raises(SystemExit, match="put it there"):
        demonstration.main(["--data", "frappe"])
