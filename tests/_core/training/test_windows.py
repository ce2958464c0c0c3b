"""Windows of rows: each row once an epoch, blocks mixed, and an epoch that goes on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import ragged_matrix
from modelling import LOSSES, N_COLUMNS, random_values, training_data
from scipy import sparse

from sklearn_afm._core.training.optimizers import OPTIMIZERS
from sklearn_afm._core.training.trainer import Trainer
from sklearn_afm._core.training.windows import BlockData
from sklearn_afm._fm import FM

SIZES = [7, 0, 11, 3, 20, 5, 1]


def numbered_rows(n_rows):
    """Row i has the target i and the value i + 1."""
    X = sparse.csr_array(np.arange(1.0, n_rows + 1)[:, None])
    return training_data(X, np.arange(float(n_rows))[:, None], np.arange(1.0, n_rows + 1))


def block_data(data, sizes, window_rows):
    ends = np.cumsum(sizes)

    def read(number):
        rows = slice(ends[number] - sizes[number], ends[number])
        offset = None if data.offset is None else data.offset[rows]
        weight = None if data.weight is None else data.weight[rows]
        return replace(data, X=data.X[rows], target=data.target[rows], weight=weight, offset=offset)

    return BlockData(read, np.array(sizes), data.total_weight(), data.column_weight, window_rows)


@pytest.mark.parametrize(("window_rows", "n_windows"), [(1, 3), (20, 3), (21, 2), (47, 1), (99, 1)])
def test_windows_have_each_row_once(window_rows, n_windows):
    """The largest block has 20 rows, so that a window has 20 or more; a step has 4."""
    data = block_data(numbered_rows(47), SIZES, window_rows)
    rng = np.random.default_rng(0)
    orders = []
    for _ in range(3):
        windows = list(data.windows(data.begin(rng), 4))
        assert len(windows) == n_windows
        assert all(window.n_rows % 4 == 0 for window in windows[:-1])
        rows = torch.cat([window.target for window in windows]).numpy().ravel()
        assert sorted(rows) == list(range(47))
        orders.append(rows.tolist())
        for window in windows:
            numbers = window.target.numpy().ravel()
            np.testing.assert_array_equal(window.X.toarray().ravel(), numbers + 1)
            np.testing.assert_array_equal(window.weight, numbers + 1)
    assert orders[0] != orders[1] != orders[2]


def test_a_window_mixes_blocks():
    data = block_data(numbered_rows(400), [10] * 40, 100)
    rng = np.random.default_rng(0)
    for window in data.windows(data.begin(rng), 1):
        blocks = set(window.target.numpy().ravel() // 10)
        assert len(blocks) == 10
        assert max(blocks) - min(blocks) > 20  # not neighbours


@pytest.mark.parametrize("n_done", [0, 20, 40])
def test_an_epoch_that_goes_on_reads_only_what_it_needs(n_done):
    data = block_data(numbered_rows(47), SIZES, 20)
    epoch = data.begin(np.random.default_rng(0))
    expected = [w.target.ravel().tolist() for w in data.windows(epoch, 4)]
    read, seen = data.read, []
    data.read = lambda number: seen.append(number) or read(number)
    found = [w.target.ravel().tolist() for w in data.windows(replace(epoch, n_rows=n_done), 4)]
    assert found == expected[n_done // 20 :]
    ends = np.cumsum([SIZES[number] for number in epoch.blocks])
    assert seen == [b for b, end in zip(epoch.blocks, ends) if end > n_done and SIZES[b]]


def trainer_of(rng, model):
    values = {name: torch.tensor(v) for name, v in random_values(rng, model).items()}
    rates = dict.fromkeys(values, 0.1)
    return Trainer(
        model=model,
        loss=LOSSES["squared error"],
        parameters=values,
        trained=list(values),
        optimizer=OPTIMIZERS["adagrad"](values, rates, 4),
        batch_size=4,
        penalties={"embeddings": 0.5},
        order_rng=np.random.default_rng(3),
        mask_generator=torch.Generator(),
    )


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("with_offset", [True, False])
def test_one_block_has_the_bits_of_rows_in_memory(weighted, with_offset):
    rng = np.random.default_rng(0)
    model, X = FM(3, 1, dropout=0.3), ragged_matrix(rng, 30, N_COLUMNS)
    weight = rng.uniform(0.5, 2, 30) if weighted else np.ones(30)
    data = training_data(X, rng.normal(size=(30, 1)), weight)
    if with_offset:
        data = replace(data, offset=torch.tensor(rng.normal(size=(30, 1))))
    results = []
    for rows in (data, block_data(data, [30], 5)):
        trainer = trainer_of(np.random.default_rng(1), model)
        losses = [trainer.run_epoch(rows).item() for _ in range(3)]
        results.append((losses, trainer))
    assert results[0][0] == results[1][0]
    for name, value in results[0][1].parameters.items():
        assert torch.equal(value, results[1][1].parameters[name]), name


def test_an_epoch_that_goes_on_has_the_bits_of_one_that_did_not_stop():
    rng = np.random.default_rng(0)
    model, X = FM(3, 1, dropout=0.3), ragged_matrix(rng, 47, N_COLUMNS)
    data = training_data(X, rng.normal(size=(47, 1)), rng.uniform(0.5, 2, 47))
    data = block_data(data, SIZES, 20)
    whole, seen = trainer_of(np.random.default_rng(1), model), []

    def on_window(epoch):
        tensors = {name: value.clone() for name, value in whole.parameters.items()}
        state = {name: value.clone() for name, value in whole.optimizer.state.items()}
        generators = whole.order_rng.bit_generator.state, whole.mask_generator.get_state()
        seen.append((epoch, (tensors, state, *generators)))

    loss = whole.run_epoch(data, on_window=on_window)
    assert [epoch.n_rows for epoch, _ in seen] == [20, 40]
    for epoch, state in seen:
        resumed = trainer_of(np.random.default_rng(2), model)
        resumed.restore(*state)
        assert torch.equal(resumed.run_epoch(data, epoch=epoch), loss)
        for name, value in whole.parameters.items():
            assert torch.equal(value, resumed.parameters[name]), name
