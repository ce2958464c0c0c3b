"""All ways to compute a product give NumPy's result in double precision."""

import numpy as np
import pytest
import torch

from sklearn_afm._core.pairs import products

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("n_rows", "convolves"), [(1, False), (50, False), (48, True), (4096, True)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products(rng, monkeypatch, n_rows, dtype, convolves):
    monkeypatch.setattr(products, "_convolves", lambda rows, n_out: convolves)
    rows, d_out = rng.normal(size=(n_rows, 24)), rng.normal(size=(n_rows, 40))
    weight, bias = rng.normal(size=(40, 24)), rng.normal(size=40)
    arrays = [torch.tensor(a, dtype=dtype) for a in (rows, weight, bias, d_out)]
    tolerance = {"rtol": 1e-4, "atol": 1e-3} if dtype == torch.float32 else {"rtol": 1e-10}
    found = products.linear(*arrays[:3])
    np.testing.assert_allclose(found, rows @ weight.T + bias, **tolerance)
    np.testing.assert_allclose(products.linear(*arrays[:2]), rows @ weight.T, **tolerance)
    found = products.weight_gradient(arrays[3], arrays[0])
    np.testing.assert_allclose(found, d_out.T @ rows, **tolerance)


def test_large_float32_products_are_not_rounded_to_less(rng):
    """The convolution has the error of float32, not of a type with fewer bits."""
    rows = torch.tensor(rng.normal(size=(4096, 256)), dtype=torch.float32)
    weight = torch.tensor(rng.normal(size=(256, 256)), dtype=torch.float32)
    assert products._convolves(rows, 256)
    exact = rows.double() @ weight.double().T
    assert (products.linear(rows, weight) - exact).abs().max() < 1e-6 * exact.abs().max()


@pytest.mark.parametrize("n_out", [0, 4, 256])
def test_chunks_cover_the_list(n_out):
    for length in (0, 1, 1000, 1024, 4990):
        parts = list(products.chunks(length, 256, CPU, n_out))
        assert [i for part in parts for i in range(length)[part]] == list(range(length))
        assert all((part.stop - part.start) * 256 <= products.NUMBERS_PER_CHUNK for part in parts)


def test_few_lengths_are_convolved():
    """oneDNN generates code for each length, so there must be only a few."""
    lengths = {
        part.stop - part.start
        for n in range(1, 9000, 7)
        for part in products.chunks(n, 256, CPU, 256)
    }
    convolved = {n for n in lengths if products._convolves(torch.empty(n, 256), 256)}
    assert convolved == {256, 512, 768, 1024}
