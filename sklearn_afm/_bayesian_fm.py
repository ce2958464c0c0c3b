"""The Bayesian factorization machine: predictions are means over draws of its posterior."""

import numpy as np
from scipy.special import ndtr
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ._bayes.likelihoods import NormalNoise, ProbitLink
from ._bayesian_base import BayesianFM
from ._tasks import LARGEST_TARGET

# Each has a latent variable: a few arrays of this length.
_MOST_OBSERVATIONS = 10**9


class BayesianFMRegressor(RegressorMixin, BayesianFM):
    """Factorization machine for regression, by Gibbs sampling of its posterior.

    It needs no learning rate, no strength of regularisation and no validation rows, and gives a
    standard deviation with each prediction.

    {parameters}

    {attributes}

    See Also
    --------
    FMRegressor : Learns one set of parameters by gradient steps: for many or long rows.
    BayesianFMClassifier : The same model for two classes.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import BayesianFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, BayesianFMRegressor(random_state=0)).fit(X, y)
    >>> mean, std = model.predict([["red", "round"]], return_std=True)
    >>> bool(mean[0] > 1.9), bool(std[0] < 0.2)
    (True, True)
    """

    _y_numeric = True
    _words = {
        "own": """\
noise_std_draws_ : ndarray of shape (n_kept,)
    The standard deviation of the noise of each draw that was kept.""",
        "target": "The target is the score plus normal noise, whose precision is drawn. The model\n"
        "learns columns divided by the root mean square of their non-zeros, and a standardised\n"
        "target.",
    }

    def predict(self, X, return_std=False):
        """Predict the target of each row: the mean over the draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.
        return_std : bool, default=False
            Whether to return the standard deviation of a new target as well: that of the draws'
            scores and that of the noise of a row of weight 1.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted values.
        std : ndarray of shape (n_samples,)
            Their standard deviations, if `return_std` is True.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a prediction goes beyond 1e150.
        """
        mean, squares = 0.0, 0.0  # Welford's sums: no difference of large numbers
        for draw, score in enumerate(self._scores(X), 1):
            step = score - mean
            mean = mean + step / draw
            squares = squares + step * (score - mean)
        if not return_std:
            return mean
        return mean, np.sqrt(squares / len(self.bias_draws_) + np.mean(self.noise_std_draws_**2))

    def _encode_target(self, y, weight) -> np.ndarray:
        largest = np.abs(y).max()
        if not largest <= LARGEST_TARGET:
            raise ValueError(
                f"y goes up to {largest:g} in size; targets must be numbers up to "
                f"{LARGEST_TARGET:g}. Divide y."
            )
        return y.astype(np.float64)

    def _likelihood(self, prepared, row) -> NormalNoise:
        return NormalNoise(prepared.target[:, 0], prepared.rows.weight, row)

    def _set_noise(self, noise_std) -> None:
        self.noise_std_draws_ = noise_std


class BayesianFMClassifier(ClassifierMixin, BayesianFM):
    """Factorization machine for two classes, by Gibbs sampling of its posterior.

    It needs no learning rate, no strength of regularisation and no validation rows. For more than
    two classes, wrap it in :class:`~sklearn.multiclass.OneVsRestClassifier`.

    {parameters}

    {attributes}

    See Also
    --------
    FMClassifier : Learns one set of parameters by gradient steps: for many or long rows.
    BayesianFMRegressor : The same model for regression.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import BayesianFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, BayesianFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """

    _y_numeric = False
    _words = {
        "own": "classes_ : ndarray of shape (2,)\n    The labels.",
        "target": "The probability of the second class is Phi(s(x)), with the normal distribution\n"
        "function Phi (probit link). The model learns columns divided by the root mean square of\n"
        "their non-zeros.",
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def predict_proba(self, X):
        """Probability of each class: the mean over the draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, 2)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a score goes beyond 1e150.
        """
        total = sum(np.stack([ndtr(-score), ndtr(score)], axis=1) for score in self._scores(X))
        return total / len(self.bias_draws_)

    def predict(self, X):
        """Predict the more probable class of each row.

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
            If X cannot be read as numbers, or a score goes beyond 1e150.
        """
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[codes]

    def _encode_target(self, y, weight) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # of huge numbers, which are no labels
            check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs 2 classes in y (among the rows with a positive "
                f"sample_weight); got 1 class: {self.classes_[0]!r}."
            )
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}: it has {len(self.classes_)} classes. Wrap the estimator in "
                "sklearn.multiclass.OneVsRestClassifier."
            )
        if (weight != np.round(weight)).any() or weight.sum() > _MOST_OBSERVATIONS:
            raise ValueError(
                "Weights of a classifier say how often a row was observed: they must be whole "
                f"numbers, {_MOST_OBSERVATIONS:,} in total at most. Round or leave out "
                "sample_weight."
            )
        return codes.astype(np.float64)

    def _likelihood(self, prepared, row) -> ProbitLink:
        return ProbitLink(prepared.target[:, 0] > 0, prepared.rows.weight, row)
