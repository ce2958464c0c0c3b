"""Sources of files: each row once, as it was written, and a fit over them."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

from sklearn_afm import FieldEncoder, FMClassifier, FMRegressor
from sklearn_afm.blocks import CSRBlocks, ParquetBlocks, SvmlightBlocks, save_csr_block


@pytest.fixture
def rows(rng):
    X = sparse.random_array((200, 12), density=0.3, rng=rng, format="csr")
    return X, rng.integers(0, 2, 200)


def joined(blocks):
    parts = [blocks[number] for number in range(len(blocks))]
    return sparse.vstack([part[0] for part in parts]).toarray(), np.concatenate(
        [part[1] for part in parts]
    )


@pytest.mark.parametrize("values", ["real", "ones"])
@pytest.mark.parametrize("labels", ["numbers", "text", "objects", "two"])
def test_csr_blocks_give_back_what_was_saved(values, labels, rows, tmp_path, rng):
    X, y = rows
    if values == "ones":
        X.data[:] = 1
    if labels in ("text", "objects"):
        y = np.where(y, "yes", "no").astype(object if labels == "objects" else str)
    if labels == "two":
        y = rng.normal(size=(200, 2))
    for start in range(0, 200, 50):
        part = slice(start, start + 50)
        weight = np.arange(50) if start else None
        save_csr_block(tmp_path / f"{start:03}.npz", X[part], y[part], weight)
    blocks = CSRBlocks(tmp_path)
    assert len(blocks) == 4
    assert [len(block) for block in blocks] == [2, 3, 3, 3]
    found, targets = joined(blocks)
    np.testing.assert_array_equal(found, X.toarray())
    np.testing.assert_array_equal(targets, y)
    np.testing.assert_array_equal(blocks[1][2], np.arange(50))
    if values == "ones":
        with np.load(tmp_path / "000.npz") as file:
            assert "data" not in file


def test_csr_blocks_run_no_code_and_save_no_objects(rows, tmp_path):
    X, _ = rows
    with pytest.raises(ValueError, match="y holds Python objects"):
        save_csr_block(tmp_path / "a.npz", X, np.array([{}] * 200))
    np.savez(tmp_path / "b.npz", indices=np.array([{}], dtype=object))
    with pytest.raises(RuntimeError, match="Block 0 of 1 could not be read"):
        FMRegressor().fit_blocks(CSRBlocks(tmp_path / "b.npz"))
    with pytest.raises(FileNotFoundError, match=r"There is no file .*none"):
        CSRBlocks(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no \.npz files"):
        CSRBlocks(tmp_path / "empty")


@pytest.mark.parametrize("block_bytes", [1, 37, 1000, 1 << 26])
@pytest.mark.parametrize("zero_based", [True, False])
def test_svmlight_blocks_have_each_line_once(block_bytes, zero_based, rows, tmp_path):
    X, y = rows
    for number, part in enumerate((slice(0, 20), slice(20, 30))):
        file = str(tmp_path / f"{number}.svm")
        dump_svmlight_file(X[part], y[part], file, zero_based=zero_based)
    blocks = SvmlightBlocks(tmp_path, 12, zero_based=zero_based, block_bytes=block_bytes)
    found, targets = joined(blocks)
    np.testing.assert_allclose(found, X[:30].toarray())
    np.testing.assert_array_equal(targets, y[:30])


def test_a_fit_over_svmlight_files_is_that_of_their_rows(rows, tmp_path):
    X, y = rows
    dump_svmlight_file(X, y, str(tmp_path / "rows.svm"))
    blocks = SvmlightBlocks(tmp_path / "rows.svm", 12, block_bytes=500)
    options = {"max_iter": 2, "random_state": 0, "early_stopping": False}
    found = FMClassifier(**options).fit_blocks(blocks).predict_proba(X)
    np.testing.assert_allclose(found, FMClassifier(**options).fit(X, y).predict_proba(X), rtol=1e-6)


@pytest.fixture
def clicks(rng, tmp_path):
    """A frame, and a folder of two Parquet files with it in row groups of 64."""
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "site": rng.choice(["a", "b", "c", "d"], 400),
            "clicked": rng.integers(0, 2, 400),
            "price": rng.normal(size=400),
            "weight": rng.uniform(1, 2, 400),
        }
    )
    (tmp_path / "day=1").mkdir()
    (tmp_path / "_SUCCESS").touch()
    for name, part in (("day=1/0.parquet", frame[:250]), ("1.parquet", frame[250:])):
        part.to_parquet(tmp_path / name, index=False, row_group_size=64)
    order = [*range(250, 400), *range(250)]
    return frame.iloc[order].reset_index(drop=True), tmp_path


def test_parquet_blocks_are_row_groups_of_all_files(clicks):
    frame, folder = clicks
    encoder = FieldEncoder()
    blocks = ParquetBlocks(folder, encoder, "clicked", sample_weight="weight")
    assert len(blocks) == 3 + 4
    encoder.fit_frames(blocks.frames())
    expected = FieldEncoder().fit(frame[["site", "price"]])
    X = expected.transform(frame[["site", "price"]])
    found, targets = joined(blocks)
    np.testing.assert_array_equal(found, X.toarray())
    np.testing.assert_array_equal(targets, frame["clicked"])
    weights = np.concatenate([blocks[number][2] for number in range(7)])
    np.testing.assert_array_equal(weights, frame["weight"])
    options = {"max_iter": 2, "random_state": 0}
    model = FMClassifier(**options).fit_blocks(blocks)
    known = FMClassifier(**options).fit(X, frame["clicked"], frame["weight"])
    np.testing.assert_array_equal(model.embeddings_, known.embeddings_)


def test_parquet_blocks_of_chosen_columns_and_several_targets(clicks):
    _, folder = clicks
    blocks = ParquetBlocks(folder, None, ["clicked", "weight"], columns=["price"])
    X, y = blocks[0]
    assert (X.shape, y.shape) == ((64, 1), (64, 2))
    model = FMRegressor(max_iter=1).fit_blocks(blocks, window_rows=100)
    assert model.feature_names_in_.tolist() == ["price"]
    with pytest.raises(ValueError, match=r"no columns \['colour'\]"):
        ParquetBlocks(folder, None, "clicked", columns=["colour"])
    import pandas as pd

    pd.DataFrame({"other": [1]}).to_parquet(folder / "2.parquet")
    with pytest.raises(ValueError, match=r"2.parquet has the columns \['other'\]"):
        ParquetBlocks(folder, None, "clicked")
