"""Files in the AFM authors' format work with scikit-learn's reader and the estimators."""

import numpy as np
import pytest
from conftest import ESTIMATORS
from sklearn.datasets import load_svmlight_file, load_svmlight_files


def write(path, columns, target):
    """Write one line per row: the target, then a column with value 1 for each field."""
    path.write_text(
        "".join(
            f"{y} " + " ".join(f"{column}:1" for column in row) + "\n"
            for row, y in zip(columns.tolist(), target.tolist())
        )
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_what_scikit_learn_reads_is_fitted_unchanged(Estimator, tmp_path, rng):
    columns = rng.integers(0, 6, size=(120, 3)) + np.array([0, 6, 12])
    target = np.where((columns[:, 0] + columns[:, 1]) % 2, 1, -1)
    paths = [str(tmp_path / f"made.{part}.libfm") for part in ("train", "test")]
    write(tmp_path / "made.train.libfm", columns[:80], target[:80])
    write(tmp_path / "made.test.libfm", columns[80:], target[80:])
    X, y, X_test, y_test = load_svmlight_files(paths, n_features=18, zero_based=True)
    model = Estimator(embedding_dim=4, random_state=0).fit(X, y)
    dense = np.zeros((120, 18))
    np.put_along_axis(dense, columns, 1.0, axis=1)
    same = Estimator(embedding_dim=4, random_state=0).fit(dense[:80], target[:80])
    np.testing.assert_array_equal(model.predict(X_test), same.predict(dense[80:]))
    np.testing.assert_array_equal(y_test, target[80:])


def test_rows_of_several_lengths_are_read(tmp_path):
    path = tmp_path / "ragged.libfm"
    path.write_text("1 0:1 4:1\n-1 2:1\n1\n")
    X, y = load_svmlight_file(str(path), n_features=5, zero_based=True)
    for Estimator in ESTIMATORS:
        assert Estimator(max_iter=2).fit(X, y).predict(X).shape == (3,)
