"""`sparse_interface` of scikit-learn 1.9: rows are sparse arrays, and matrices are taken alike."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from conftest import ESTIMATORS, target_for
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import FieldEncoder
from sklearn_afm._compat import HAS_CALLBACKS

if not HAS_CALLBACKS:  # it came with them
    pytest.skip("scikit-learn has sparse_interface from 1.9 on", allow_module_level=True)

FRAME = pd.DataFrame({"a": list("xyzx") * 30, "b": list("pqr") * 40})
TARGET = np.arange(120) % 7.0
KINDS = {"spmatrix": sparse.csr_matrix, "sparray": sparse.csr_array}


@pytest.mark.parametrize("interface", KINDS)
def test_the_encoder_gives_sparse_arrays(interface):
    expected = FieldEncoder().fit_transform(FRAME)
    with sklearn.config_context(sparse_interface=interface):
        encoder = FieldEncoder().fit(FRAME)
        rows = encoder.transform(FRAME)
        assert type(rows) is sparse.csr_array
        np.testing.assert_array_equal(rows.toarray(), expected.toarray())
        back = encoder.inverse_transform(KINDS[interface](rows))
    np.testing.assert_array_equal(back, FRAME)


@pytest.mark.parametrize("interface", KINDS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_estimators_take_both(Estimator, interface):
    y = target_for(Estimator, TARGET)
    model = Estimator(max_iter=2, random_state=0)
    model.fit(OneHotEncoder().fit_transform(FRAME).toarray(), y)
    with sklearn.config_context(sparse_interface=interface):
        X = OneHotEncoder().fit_transform(FRAME)
        assert type(X) is KINDS[interface]
        expected = model.predict(X.toarray())
        other = Estimator(max_iter=2, random_state=0).fit(X, y)
        np.testing.assert_array_equal(other.predict(X), expected)
        np.testing.assert_array_equal(other.predict(KINDS["spmatrix"](X)), expected)
        np.testing.assert_array_equal(other.predict(KINDS["sparray"](X)), expected)
