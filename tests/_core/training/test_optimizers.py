import pytest
import torch

from sklearn_afm._core.training.optimizers import OPTIMIZERS, Adagrad, Adam


def sparse_steps(n_steps=20, n_rows=10):
    """Yield some rows of a parameter and their gradients, and the same as a dense gradient."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(n_steps):
        rows = torch.randperm(n_rows, generator=generator)[:4]
        gradient = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        dense = torch.zeros(n_rows, 3, dtype=torch.float64)
        dense[rows] = gradient
        yield rows, gradient, dense


def test_row_sparse_adagrad_equals_torch():
    table = torch.ones(10, 3, dtype=torch.float64)
    expected = torch.nn.Parameter(table.clone())
    ours = Adagrad({"table": table}, {"table": 0.1}, batch_size=5)
    theirs = torch.optim.Adagrad([expected], lr=0.1, initial_accumulator_value=0.1**2)
    for rows, gradient, dense in sparse_steps():
        ours.begin_step()
        ours.update("table", table, gradient, rows)
        expected.grad = dense
        theirs.step()
    torch.testing.assert_close(table, expected.data, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["adagrad", "adam", "sgd"])
def test_all_rows_touched_equals_torch(name):
    table = torch.ones(10, 3, dtype=torch.float64)
    dense_table = table.clone()
    expected, expected_dense = (torch.nn.Parameter(table.clone()) for _ in range(2))
    rates = {"table": 0.1, "dense": 0.03}
    ours = OPTIMIZERS[name]({"table": table, "dense": dense_table}, rates, batch_size=5)
    theirs = {
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.1**2),
        "adam": lambda p: torch.optim.Adam(p, lr=0.1),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    }[name]([{"params": [expected]}, {"params": [expected_dense], "lr": 0.03}])
    for _, _, gradient in sparse_steps():
        ours.begin_step()
        ours.update("table", table, gradient, torch.arange(10))
        ours.update("dense", dense_table, gradient, None)
        expected.grad = expected_dense.grad = gradient
        theirs.step()
    torch.testing.assert_close(table, expected.data, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(dense_table, expected_dense.data, rtol=1e-10, atol=1e-12)


def test_lazy_adam_leaves_untouched_rows_alone():
    table = torch.ones(10, 3, dtype=torch.float64)
    adam = Adam({"table": table}, {"table": 0.1}, batch_size=5)
    for _ in range(3):
        adam.begin_step()
        adam.update("table", table, torch.ones(2, 3, dtype=torch.float64), torch.tensor([0, 1]))
    assert (table[2:] == 1).all()
    assert (table[:2] < 1).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_rows_of_a_table_may_have_rates_of_their_own(optimizer):
    """A row with its own rate changes as if this were the rate of all rows."""
    start, gradient = torch.arange(8.0).view(4, 2), torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    rows, rates = torch.tensor([3, 1]), torch.tensor([[0.5], [0.1], [0.2], [0.3]])
    results = []
    for rate in (rates, 0.3, 0.1):
        table = {"table": start.clone()}
        optimiser = OPTIMIZERS[optimizer](table, {"table": rate}, 4)
        for _ in range(2):
            optimiser.begin_step()
            optimiser.update("table", table["table"], gradient, rows)
        results.append(table["table"])
    own, last, second = results
    torch.testing.assert_close(own[3], last[3])
    torch.testing.assert_close(own[1], second[1])
    torch.testing.assert_close(own[[0, 2]], start[[0, 2]])
