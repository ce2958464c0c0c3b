import numpy as np
import torch

from sklearn_afm._core.training.average import RunningAverage


def test_running_average_is_the_corrected_exponential_average():
    values, decay = np.array([1.0, 5.0, -2.0, 4.0]), 0.7
    average = RunningAverage(decay)
    for t in range(1, len(values) + 1):
        found = average.update({"a": torch.tensor([values[t - 1]], dtype=torch.float64)})
        weights = (1 - decay) * decay ** np.arange(t)[::-1]
        np.testing.assert_allclose(found["a"], weights @ values[:t] / (1 - decay**t))
