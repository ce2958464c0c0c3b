"""The two tasks: how y becomes a training target, and raw scores become predictions.

A task gives `_base` seven things: `_learn_target` (what a fresh fit learns from y),
`_encode_target`, `_class_weights`, `_objective_weight`, `_loss_name`, `_target_moments`,
`_start_bias`.
"""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from ._scaling import target_moments

# Squares of targets up to here are numbers of float64.
LARGEST_TARGET = 1e150


class RegressionTask(RegressorMixin):
    """Squared error on standardised targets, one or several."""

    _loss_name = "squared"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _learn_target(self, y, classes) -> tuple[int, bool]:
        """Number of outputs, and whether the fitted attributes have an axis for them."""
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
        return target

    def _class_weights(self, y, target, sample_weight) -> None:
        """There are no classes."""

    def _objective_weight(self, target, sample_weight, class_weights) -> np.ndarray:
        return sample_weight

    def _target_moments(self, target, weight):
        return target_moments(target, weight)

    def _start_bias(self, target, weight) -> np.ndarray:
        return np.zeros(target.shape[1])

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
            If X cannot be read as numbers, or a score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        return raw if np.ndim(self.bias_) else raw[:, 0]


class ClassificationTask(ClassifierMixin):
    """Log loss: one logit for two classes, one logit a class for more."""

    @property
    def _loss_name(self) -> str:
        return "log" if len(self.classes_) == 2 else "multinomial"

    def _learn_target(self, y, classes) -> tuple[int, bool]:
        """Learn the classes; number of logits, and whether attributes have an axis for them."""
        if classes is None:
            with np.errstate(invalid="ignore"):  # of huge numbers, which are no labels
                check_classification_targets(y)
        self.classes_ = np.unique(y if classes is None else classes)
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

    def _class_weights(self, y, target, sample_weight) -> np.ndarray | None:
        """Weight of each class, by the training rows; None without `class_weight`."""
        if self.class_weight is None:
            return None
        if self.class_weight != "balanced":
            return compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        # By weight, not by number, so that a weight of 2 equals a row given twice.
        codes = target[:, 0].astype(np.int64)
        totals = np.bincount(codes, sample_weight, minlength=len(self.classes_))
        return sample_weight.sum() / (len(self.classes_) * np.maximum(totals, 1e-300))

    def _objective_weight(self, target, sample_weight, class_weights) -> np.ndarray:
        """Weight of each row in the objective, which the validation loss has too."""
        if class_weights is None:
            return sample_weight
        return sample_weight * class_weights[target[:, 0].astype(np.int64)]

    def _target_moments(self, target, weight):
        n_outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        return np.zeros(n_outputs), np.ones(n_outputs)

    def _start_bias(self, target, weight) -> np.ndarray:
        """Logits of the base rates, each class counted half a row too many."""
        totals = np.bincount(target[:, 0].astype(np.int64), weight, len(self.classes_)) + 0.5
        logs = np.log(totals / totals.sum())
        return logs[1:] - logs[0] if len(logs) == 2 else logs

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
            If X cannot be read as numbers, or a score is infinite or NaN.
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
            If X cannot be read as numbers, or a score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        if raw.shape[1] > 1:
            return softmax(raw, axis=1)
        return np.hstack([expit(-raw), expit(raw)])

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
            If X cannot be read as numbers, or a score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        if raw.shape[1] > 1:
            return log_softmax(raw, axis=1)
        return np.hstack([log_expit(-raw), log_expit(raw)])

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
            If X cannot be read as numbers, or a score is infinite or NaN.
        """
        raw = self._raw_scores(X)
        codes = raw.argmax(axis=1) if raw.shape[1] > 1 else (raw[:, 0] > 0).astype(np.intp)
        return self.classes_[codes]
