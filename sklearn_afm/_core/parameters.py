"""Start values of the parameters, and the running average of them."""

import numpy as np
import torch
from torch import Tensor

EMBEDDING_STD = 0.01
ATTENTION = ("attention_weight", "attention_bias", "attention_context")


def start_projection(size: float, n_outputs: int, embedding_dim: int, rng) -> np.ndarray:
    """p, of the given size: (n_outputs, embedding_dim).

    Several outputs start with random signs: were they equal, the classes' gradients on the
    embeddings, which sum to zero, would cancel.
    """
    if n_outputs == 1:
        return np.full((1, embedding_dim), size)
    return size * rng.choice([-1.0, 1.0], size=(n_outputs, embedding_dim))


def start_embeddings(n_columns: int, embedding_dim: int, dtype, rng) -> np.ndarray:
    """v ~ N(0, 0.01^2): (n_columns, embedding_dim)."""
    embeddings = rng.standard_normal((n_columns, embedding_dim), dtype=dtype)
    embeddings *= EMBEDDING_STD
    return embeddings


def start_attention(embedding_dim: int, attention_dim: int, rng) -> dict[str, np.ndarray]:
    """W ~ N(0, 2 / (k + t)), b = 0.1, h = 0: uniform attention, an AFM that is an FM.

    With b > 0 every hidden unit is active for every pair, and as long as it is, no gradient moves
    b: the softmax takes no notice of what all pairs have in common. From b = 0, Adagrad's first
    steps, each a whole learning rate, could take every b below what W adds for any pair. Then no
    unit would ever be active again.
    """
    std = np.sqrt(2 / (embedding_dim + attention_dim))
    return {
        "attention_weight": rng.normal(0.0, std, size=(attention_dim, embedding_dim)),
        "attention_bias": np.full(attention_dim, 0.1),
        "attention_context": np.zeros(attention_dim),
    }


def to_tensors(arrays: dict[str, np.ndarray], dtype, device) -> dict[str, Tensor]:
    """Parameters as tensors; those of this type on the CPU share the arrays' memory."""
    return {
        name: torch.as_tensor(value, dtype=dtype, device=device) for name, value in arrays.items()
    }


def copy_of(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The parameters as they are now."""
    return {name: value.clone() for name, value in parameters.items()}


class RunningAverage:
    """Exponential average of parameters over epochs, corrected for its start.

    After t epochs the weights (1 - d) d^(t - s) of the epochs s are divided by their sum
    1 - d^t, as in Adam (Kingma and Ba, ICLR 2015).
    """

    def __init__(self, decay: float):
        self.decay = decay
        self.parameters: dict[str, Tensor] = {}
        self._n_epochs = 0

    def update(self, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        """Count one more epoch's parameters in; returns the average, in tensors of its own."""
        n_epochs = self._n_epochs + 1
        share = (1 - self.decay) / (1 - self.decay**n_epochs)
        before = self.parameters or parameters
        self.parameters = {
            name: torch.lerp(before[name], value, share) for name, value in parameters.items()
        }
        self._n_epochs = n_epochs
        return self.parameters

    def restore(self, parameters: dict[str, Tensor], n_epochs: int) -> None:
        """Go on from an average that was kept."""
        self.parameters, self._n_epochs = parameters, n_epochs
