"""The running average of the parameters over epochs."""

import torch
from torch import Tensor


class RunningAverage:
    """Exponential average of parameters over epochs, corrected for its start.

    After t epochs, epoch s has the weight (1 - d) d^(t - s). These weights are divided by their
    sum 1 - d^t, as in Adam (Kingma and Ba, ICLR 2015).
    """

    def __init__(self, decay: float):
        self.decay = decay
        self.parameters: dict[str, Tensor] = {}
        self._n_epochs = 0

    def update(self, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        """Count one more epoch's parameters in. Return the average, in tensors of its own."""
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
