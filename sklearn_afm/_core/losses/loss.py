"""The contract of a loss."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]


class Loss:
    """A loss of raw scores, which are on the scale of its link function.

    Attributes
    ----------
    name : str
        What it is called in text.
    compares_rows : bool
        Whether rows come in lists, such that the term of a row depends on the others of its list.
        The last column of the target is then 1 in the first row of each list and 0 in the others.
        Training keeps the rows of a list together.
    target_power : int
        The loss is in the unit of the target to this power. 0: targets have no unit (labels,
        counts). Else the model learns standardised targets.
    of_normal : float
        The mean loss of the best constant if targets are standard normal; of a loss with a unit.
    domain : str
        What targets have to be, in words. Empty: any numbers.
    smooth : bool
        Whether it bends everywhere. Else curvatures say nothing of how sure a parameter is, and
        embeddings are learnt by gradient alone.
    log_link : bool
        Whether raw scores are logarithms of predictions.
    """

    name = ""
    compares_rows = False
    target_power = 0
    of_normal = 1.0
    domain = ""
    smooth = True
    log_link = False

    @property
    def standardises(self) -> bool:
        """Whether the model learns standardised targets."""
        return self.target_power != 0

    def in_units_of(self, scale: np.ndarray) -> "Loss":
        """The loss of targets that are divided by this scale, (n_outputs,)."""
        return self

    def in_domain(self, target: np.ndarray) -> np.ndarray:
        """Whether each target is allowed, (n_rows, n_outputs)."""
        return np.ones(target.shape, dtype=bool)

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Loss of each row, (n_rows, n_terms), of raw scores (n_rows, n_outputs).

        target (n_rows, n_terms) is a number for each term, or the number of the class; a loss that
        compares rows has one term, and columns of its own.
        """
        raise NotImplementedError

    # derivatives(raw, target) -> loss of each row, (n_rows,), its gradient by the raw scores, and a
    # curvature that no parabola above the loss has less of, (n_rows, n_outputs) each; for a loss
    # whose rows are examples of their own. None: the linear part has no strengths to learn.
    derivatives: Callable[[np.ndarray, np.ndarray], Derivatives] | None = None

    # dispersion(raw, target, weight) -> what the loss is to be divided by to be minus the logarithm
    # of a likelihood, as rows of this weight tell. None: 1, or as `target_power` says.
    dispersion: Callable[[np.ndarray, np.ndarray, np.ndarray], float] | None = None

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The bias (n_outputs,) that training starts from, for the targets that it learns.

        Sums over rows go through `sum_over_ranks`.
        """
        raise NotImplementedError

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """Predictions of raw scores (n_rows, n_outputs): the inverse of the link function."""
        raise NotImplementedError

    def averaged(self, raw: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Raw scores whose predictions are the mean of those of raw scores with this variance.

        Both have the shape (n_rows, n_outputs). The mean itself, if predictions are raw scores.
        """
        return raw
