"""The two tasks: how y becomes a training target, and raw scores become predictions.

A task gives `_base` six things: `_learn_target` (what a fresh fit learns from y), `_learn_loss`
(what its loss takes from all targets), `_encode_target`, `_class_weights`, `_objective_weight` and
`_loss`.
"""

from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from ._compat import Interval, StrOptions
from ._core.losses.absolute_error import AbsoluteError
from ._core.losses.gamma import GammaLoss
from ._core.losses.huber import HuberLoss
from ._core.losses.log_loss import BinaryLogLoss, MultinomialLogLoss
from ._core.losses.loss import Loss
from ._core.losses.poisson import PoissonLoss
from ._core.losses.quantile import PinballLoss
from ._core.losses.squared_error import SquaredError
from ._core.ranks import sum_over_ranks, union
from ._settings import RARELY, TRAINING, setting
from ._shared_settings import TrainingSettings

# Squares of targets up to here are numbers of float64.
LARGEST_TARGET = 1e150

_UNITS = """A column far from 0, such as a year, is centred first (``column_mean_``); x is what is
left. While the model learns, {} 0 and 1 stay as they are."""


class RegressionTask(RegressorMixin, TrainingSettings):
    """A loss of targets, one or several, which are standardised if they have a unit."""

    loss: str = setting(
        "squared_error",
        [StrOptions({"squared_error", "absolute_error", "huber", "poisson", "gamma", "quantile"})],
        '{"squared_error", "absolute_error", "huber", "poisson", "gamma", "quantile"}',
        """What is minimised, and so what is predicted: the mean ("squared_error"), the median
        ("absolute_error"), a mean that outliers move less ("huber"), a quantile, or the mean by a
        model of its logarithm, whose effects multiply: "poisson" for counts (y >= 0; half the
        Poisson deviance) and "gamma" for amounts (y > 0; half the gamma deviance). ``score`` is R^2
        for all of them.""",
    )
    quantile: float | None = setting(
        None,
        [Interval(Real, 0, 1, closed="neither"), None],
        "float in (0, 1) or None",
        'The quantile that ``loss="quantile"`` predicts.',
    )
    huber_delta: float = setting(
        1.0,
        [Interval(Real, 0, None, closed="neither")],
        "float",
        """Error from which on ``loss="huber"`` grows linearly, in standard deviations of y. Below
        it is the squared error.""",
        group=RARELY,
    )

    _words = {
        "loss": "the loss",
        "outputs": "n_outputs",
        "task_attributes": """\
delta_ : ndarray of shape (n_outputs,)
    Error from which on the Huber loss grows linearly, in the unit of y; only with
    ``loss="huber"``.""",
        "units": _UNITS.format(
            "columns are divided by the root mean square of their non-zero\n"
            'values, and targets are standardised, but for the losses "poisson" and "gamma"; the\n'
            "fitted attributes apply to X and y as given."
        ),
    }

    @property
    def _loss(self) -> Loss:
        """The loss in the unit of y."""
        fitted = getattr(self, "_fitted_loss", self.loss)
        if fitted != self.loss:
            raise ValueError(
                f"loss={self.loss!r}, but this {type(self).__name__} was fitted with "
                f"loss={fitted!r}. Set it back, or fit a clone (sklearn.base.clone)."
            )
        if self.loss == "quantile":
            if self.quantile is None:
                raise ValueError(
                    'loss="quantile" needs quantile: a number between 0 and 1, such as 0.9.'
                )
            return PinballLoss(self.quantile)
        if self.loss == "huber":
            return HuberLoss(getattr(self, "delta_", np.ones(1)))
        return _LOSSES[self.loss]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss in ("poisson", "gamma")
        return tags

    def _learn_target(self, y, classes) -> tuple[int, bool]:
        """Number of outputs, and whether the fitted attributes have an axis for them."""
        self._fitted_loss = self.loss
        return (1, False) if y.ndim == 1 else (y.shape[1], True)

    def _encode_target(self, y) -> np.ndarray:
        """Targets (n_rows, n_outputs)."""
        target = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        largest = np.abs(target).max(initial=0)
        if not largest <= LARGEST_TARGET:  # nor is NaN
            raise ValueError(
                f"y goes up to {largest:g} in size; targets must be numbers up to "
                f"{LARGEST_TARGET:g}, whose squares float64 can hold. Divide y "
                "(sklearn.compose.TransformedTargetRegressor does so inside an estimator)."
            )
        n_outputs = np.size(getattr(self, "bias_", target[:1]))
        if target.shape[1] != n_outputs:
            raise ValueError(
                f"y has {target.shape[1]} targets, but the estimator was fitted with {n_outputs}."
            )
        self._check_domain(target)
        return target

    def _check_domain(self, target) -> None:
        loss = self._loss
        outside = ~loss.in_domain(target).all(axis=1)
        if outside.any():
            row = int(outside.argmax())
            raise ValueError(
                f"y must be {loss.domain} for loss={self.loss!r}; it is not in "
                f"{np.count_nonzero(outside)} of {len(target)} rows, first in row {row}: "
                f"{target[row].tolist()}. Leave these rows out, or take another loss."
            )

    def _learn_loss(self, target, weight, scale) -> None:
        """Learn what the loss takes from all targets: `scale` is their unit, (n_outputs,)."""
        if not np.isfinite(self._loss.start_bias(target, weight)).all():
            raise ValueError(
                f"y is 0 in all rows, and loss={self.loss!r} models the logarithm of its mean. "
                "There is nothing to learn."
            )
        if self.loss == "huber":
            self.delta_ = self.huber_delta * scale

    def _class_weights(self, y, target, sample_weight) -> None:
        """There are no classes."""

    def _objective_weight(self, target, sample_weight, class_weights) -> np.ndarray:
        return sample_weight

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values, in the unit of the training targets.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a prediction is infinite or NaN.
        """
        raw = self._raw_scores(X)
        result = self._loss.predictions(raw)
        if not np.isfinite(result).all():
            raise ValueError(
                f"A prediction is infinite: its logarithm goes up to {raw.max():g}. Clip or "
                "scale X as it was for training."
            )
        return result if np.ndim(self.bias_) else result[:, 0]


_LOSSES: dict[str, Loss] = {
    "squared_error": SquaredError(),
    "absolute_error": AbsoluteError(),
    "poisson": PoissonLoss(),
    "gamma": GammaLoss(),
}


class ClassificationTask(ClassifierMixin, TrainingSettings):
    """Log loss: one logit for two classes, one logit per class for more."""

    class_weight: dict | str | None = setting(
        None,
        [dict, StrOptions({"balanced"}), None],
        'dict, "balanced" or None',
        """Weights of the classes. "balanced" gives all classes the same total weight. They count in
        the validation loss too, but not in another `scoring`.""",
        group=TRAINING,
    )

    _words = {
        "loss": "log loss",
        "outputs": "n_classes",
        "task_attributes": "classes_ : ndarray of shape (n_classes,)\n    The labels.",
        "units": _UNITS.format(
            "columns are divided by the root mean square of their non-zero\n"
            "values; the fitted attributes apply to X as given."
        ),
    }

    @property
    def _loss(self) -> Loss:
        n_classes = len(self.classes_)
        return BinaryLogLoss() if n_classes == 2 else MultinomialLogLoss(n_classes)

    def _learn_target(self, y, classes) -> tuple[int, bool]:
        """Learn the classes; number of logits, and whether attributes have an axis for them."""
        if classes is None:
            with np.errstate(invalid="ignore"):  # of huge numbers, which are no labels
                check_classification_targets(y)
        self.classes_ = union(np.asarray(y if classes is None else classes))
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes in y (among the rows with a "
                f"positive sample_weight); got 1 class: {self.classes_[0]!r}."
            )
        return (1, False) if len(self.classes_) == 2 else (len(self.classes_), True)

    def _encode_target(self, y) -> np.ndarray:
        """Positions of the labels in `classes_`, (n_rows, 1)."""
        y = column_or_1d(y, warn=True)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has labels that are not in classes: {unknown[:5].tolist()}; "
                f"the classes are {self.classes_[:10].tolist()}."
            )
        return np.searchsorted(self.classes_, y)[:, None].astype(np.float64)

    def _learn_loss(self, target, weight, scale) -> None:
        """Labels have no unit."""

    def _class_weights(self, y, target, sample_weight) -> np.ndarray | None:
        """Weight of each class, by the training rows; None without `class_weight`."""
        if self.class_weight is None:
            return None
        if self.class_weight != "balanced":
            return compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        # By weight, not by number, so that a weight of 2 equals a row given twice.
        codes = target[:, 0].astype(np.int64)
        totals = np.bincount(codes, sample_weight, minlength=len(self.classes_))
        totals = sum_over_ranks(totals)
        total = sum_over_ranks(sample_weight.sum())
        return total / (len(self.classes_) * np.maximum(totals, 1e-300))

    def _objective_weight(self, target, sample_weight, class_weights) -> np.ndarray:
        """Weight of each row in the objective, which the validation loss has too."""
        if class_weights is None:
            return sample_weight
        return sample_weight * class_weights[target[:, 0].astype(np.int64)]

    def decision_function(self, X):
        """Logits of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        logits : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the logit of `classes_[1]`.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a raw score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        return raw if raw.shape[1] > 1 else raw[:, 0]

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`; each row sums to 1.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a raw score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        return self._loss.predictions(raw)

    def predict_log_proba(self, X):
        """Log-probability of each class, finite also where a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a raw score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        return self._loss.log_predictions(raw)

    def predict(self, X):
        """Predict the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted labels.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a raw score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        codes = raw.argmax(axis=1) if raw.shape[1] > 1 else (raw[:, 0] > 0).astype(np.intp)
        return self.classes_[codes]
