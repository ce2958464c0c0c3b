"""Log loss of class labels: one logit for two classes, one logit per class for more."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from torch import Tensor, int64
from torch.nn import functional as F

from ..ranks import sum_over_ranks
from .loss import Derivatives, Loss


class BinaryLogLoss(Loss):
    """Log loss of the logit of class 1 against class 0."""

    name = "log loss"

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Log loss of logits (n_rows, 1); target (n_rows, 1) in {0, 1}."""
        return F.softplus(raw) - target * raw

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and the curvature of the parabola that touches it above.

        T. Jaakkola and M. Jordan, "Bayesian parameter estimation via variational methods", 2000.
        """
        size = np.maximum(np.abs(raw), 1e-6)
        loss = -log_expit(np.where(target > 0, raw, -raw))[:, 0]
        return loss, expit(raw) - target, np.tanh(size / 2) / (2 * size)

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The logit of the base rate."""
        logs = _log_base_rates(target, weight, 2)
        return logs[1:] - logs[0]

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """Probabilities of the two classes: (n_rows, 2)."""
        return np.hstack([expit(-raw), expit(raw)])

    def log_predictions(self, raw: np.ndarray) -> np.ndarray:
        """Logarithms of the probabilities, finite even if a probability rounds to 0."""
        return np.hstack([log_expit(-raw), log_expit(raw)])

    def averaged(self, raw: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Logits of the mean probabilities, nearly.

        D. MacKay, "The evidence framework applied to classification networks", 1992.
        """
        return raw / np.sqrt(1 + np.pi / 8 * variance)


class MultinomialLogLoss(Loss):
    """Log loss of one logit per class."""

    name = "log loss"

    def __init__(self, n_classes: int):
        self._n_classes = n_classes

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Log loss of logits (n_rows, n_classes); target (n_rows, 1) numbers of classes."""
        return F.cross_entropy(raw, target.squeeze(1).to(int64), reduction="none")[:, None]

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and the curvature 1/2, above that of the softmax.

        D. Böhning, "Multinomial logistic regression algorithm", 1992.
        """
        logs = log_softmax(raw, axis=1)
        place = np.arange(len(raw)), target[:, 0].astype(np.int64)
        gradient = np.exp(logs)
        gradient[place] -= 1
        return -logs[place], gradient, np.full_like(raw, 0.5)

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Logarithms of the base rates."""
        return _log_base_rates(target, weight, self._n_classes)

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """Probabilities (n_rows, n_classes)."""
        return softmax(raw, axis=1)

    def log_predictions(self, raw: np.ndarray) -> np.ndarray:
        """Logarithms of the probabilities, finite even if a probability rounds to 0."""
        return log_softmax(raw, axis=1)

    def averaged(self, raw: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """As for two classes, with the variance of the difference of two classes' logits.

        Logits that sum to 0 over C classes have differences of 2 C / (C - 1) times their variance.
        """
        of_difference = 2 * self._n_classes / (self._n_classes - 1) * variance.mean(axis=1)
        return raw / np.sqrt(1 + np.pi / 8 * of_difference[:, None])


def _log_base_rates(target: np.ndarray, weight: np.ndarray, n_classes: int) -> np.ndarray:
    """Logarithm of each class's weighted share, each class counted half a row too many."""
    totals = sum_over_ranks(np.bincount(target[:, 0].astype(np.int64), weight, n_classes)) + 0.5
    return np.log(totals / totals.sum())
