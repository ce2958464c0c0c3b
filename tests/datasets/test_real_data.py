"""The loaders read the real files: `SKLEARN_AFM_DATA=DIR pytest tests/datasets`."""

import os

import numpy as np
import pytest

from sklearn_afm.datasets import fetch_frappe, fetch_movielens_100k, sample_negatives

DATA_HOME = os.environ.get("SKLEARN_AFM_DATA")
pytestmark = pytest.mark.skipif(DATA_HOME is None, reason="SKLEARN_AFM_DATA is not set")
OPTIONS = {"data_home": DATA_HOME, "download_if_missing": False}


def test_frappe_holds_what_its_users_did():
    logs = []
    for subset, n_positives in (("train", 67_604), ("validation", 19_063)):
        part = fetch_frappe(subset=subset, **OPTIONS)
        assert (part.target == 1).sum() == n_positives
        logs.append(part.data[part.target == 1])
    user, item = part.fields["user"], part.fields["item"]
    # Negative validation rows have apps that the user does not have in the validation log.
    drawn = part.data[part.target == -1].indices.reshape(-1, 10)
    logged = logs[1].indices.reshape(-1, 10)
    key = part.data.shape[1]
    assert not np.isin(drawn[:, 0] * key + drawn[:, 1], logged[:, 0] * key + logged[:, 1]).any()
    found = sample_negatives(logs[0], item, user, random_state=0).indices.reshape(-1, 10)
    seen = logs[0].indices.reshape(-1, 10)
    assert not np.isin(found[:, 0] * key + found[:, 1], seen[:, 0] * key + seen[:, 1]).any()
    np.testing.assert_array_equal(found[:, 2:], np.repeat(seen[:, 2:], 2, axis=0))


def test_movielens_100k_holds_what_its_summary_says():
    ratings = fetch_movielens_100k(**OPTIONS)
    assert ratings.data.shape == (100_000, 2695)
    sizes = {name: columns.stop - columns.start for name, columns in ratings.fields.items()}
    assert (sizes["user"], sizes["item"], sizes["occupation"]) == (943, 1682, 21)
    assert sizes["genre"] == 19
    assert np.bincount(ratings.target.astype(int)).tolist() == [0, 6110, 11370, 27145, 34174, 21201]
    # Each user has rated at least 20 films.
    assert ratings.data[:, ratings.fields["user"]].sum(axis=0).min() == 20
