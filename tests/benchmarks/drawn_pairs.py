"""The error that AFM's `max_pairs` makes: python tests/benchmarks/drawn_pairs.py.

64 rows of 300 of 2,000 columns, embeddings from N(0, 0.3^2), and attention that is more and more
uneven. Prints a row of the table in docs/limits.md for each number of pairs that is drawn. Error
and bias are root mean squares over rows and coordinates, in units of that of the exact sum.
"""

import numpy as np
import torch

from sklearn_afm._afm import AFM
from sklearn_afm._core.batches.batches import Batcher
from sklearn_afm._core.models.prediction import parameters_by_feature

N_ROWS, LENGTH, N_COLUMNS, K, T, N_DRAWS = 64, 300, 2000, 16, 16, 200


def size(values):
    """Root mean square."""
    return float(values.square().mean().sqrt())


@torch.no_grad()
def main():
    """Measure each unevenness of attention and each number of pairs."""
    rng = np.random.default_rng(0)
    columns = [np.sort(rng.choice(N_COLUMNS, LENGTH, replace=False)) for _ in range(N_ROWS)]
    model = AFM(K, T, 1)
    indptr = np.arange(N_ROWS + 1) * LENGTH
    batch = Batcher(N_COLUMNS, lambda width: 1, 10**9).batch(indptr, np.concatenate(columns), None)
    (group,) = batch.groups
    arrays = {p.name: rng.normal(0, 0.3, model.shape(p, N_COLUMNS)) for p in model.parameters}
    context = arrays["attention_context"] / 0.3
    print("| spread of the attention | pairs drawn | error | bias |")
    print("|---|---|---|---|")
    for scale in (0.0, 0.3, 1.0, 2.0):
        arrays["attention_context"] = context * scale
        parameters = {name: torch.tensor(a, dtype=torch.float32) for name, a in arrays.items()}
        local = parameters_by_feature(model, parameters, batch)
        exact = model.pool(local, group)
        attention = model.attention(local, group)
        spread = size(attention * attention.shape[1] - 1)
        for max_pairs in (128, 512, 2048):
            drawing = AFM(K, T, 1, max_pairs=max_pairs)
            generator = torch.Generator().manual_seed(0)
            found = [drawing.pool(local, group, generator) for _ in range(N_DRAWS)]
            error = torch.stack(found) - exact
            relative = size(error) / size(exact), size(error.mean(0)) / size(exact)
            print(f"| {spread:.2f} | {max_pairs:,} | {relative[0]:.3f} | {relative[1]:.3f} |")


if __name__ == "__main__":
    main()
