"""What the two Bayesian estimators share: settings, fit, scores by draw."""

import copy
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ._bayes.copies import distinct_rows
from ._bayes.draws import Draws, sample
from ._bayes.likelihoods import NormalNoise, ProbitLink
from ._bayes.priors import prior_variances
from ._bayes.sampler import Sampler
from ._compat import Interval, StrOptions, fit_context
from ._data import checks, weights
from ._data.fields import fields_of
from ._data.prepare import Prepared, prepare
from ._data.rows import Rows
from ._docstrings import filled, parameters_section
from ._documentation import DocumentationLink
from ._fit.notices import Notices, codes_notice
from ._settings import RARELY, TRAINING, HasSettings, setting
from ._tasks import LARGEST_TARGET

_ATTRIBUTES = """\
bias_draws_ : ndarray of shape (n_kept,)
    The bias of each draw that was kept.
linear_weights_draws_ : ndarray of shape (n_kept, n_features), float32
    Linear weights w.
embeddings_draws_ : ndarray of shape (n_kept, n_features, embedding_dim), float32
    Embeddings v. A factor's sign, and the order of the factors, may change between draws.
fields_ : ndarray of shape (n_features,)
    Number of each column's field.
column_mean_ : ndarray of shape (n_features,) or None
    What is subtracted from each column of X before anything else, as
    :class:`~sklearn_afm.FMRegressor` does. None if no column is centred.
n_iter_ : int
    Sweeps, burn-in included.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns, if X has names."""

_NOTES = r"""Notes
-----
With the non-zero features X of a row, its score is

.. math::
    s(x) = w_0 + \sum_i w_i x_i + \sum_{i > j} v_i^T v_j x_i x_j

{target} The coefficients of a field have a normal prior: one mean and one precision
for its linear weights, and one of each for every factor of its embeddings. These are drawn as
well, so that there is no strength to choose [1]_ [2]_: precisions from Gamma(1/2, s / 2), means
from N(0, 1 / precision). The variance s is such that the linear part and the interactions of a
row of median length have variance 1 each, in the model's units. A column without a training row
is drawn from the prior of its field.

One sweep draws every parameter once from its distribution given all others. Columns of which no
row has two are drawn at once. A sweep takes time in proportion to the non-zeros of X times
`embedding_dim`, plus a fixed time for each field; with thousands of overlapping columns, the
latter dominates.

The draws take 4 (embedding_dim + 1) bytes for each column and draw.

References
----------
.. [1] C. Freudenthaler, L. Schmidt-Thieme, S. Rendle, "Bayesian Factorization Machines", NIPS
       Workshop on Sparse Representation and Low-rank Approximation, 2011.
.. [2] S. Rendle, "Factorization Machines with libFM", ACM Transactions on Intelligent Systems and
       Technology 3(3), 2012."""


# In units of the model. Only a column whose unit is at its bound, 1e30, has larger values.
_LARGEST_VALUE = 1e15


class BayesianFM(HasSettings, DocumentationLink, BaseEstimator):
    """What BayesianFMRegressor and BayesianFMClassifier share."""

    embedding_dim: int = setting(
        10,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Length k of each column's embedding.",
        place=1,
    )
    max_iter: int = setting(
        500,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Sweeps of the sampler, burn-in included. All of them are made.",
        group=TRAINING,
    )
    burn_in: float = setting(
        0.2,
        [Interval(Real, 0, 1, closed="left")],
        "float in [0, 1)",
        "Share of the sweeps, the first ones, that predictions leave out.",
        group=RARELY,
    )
    n_draws: int = setting(
        200,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        """Draws that are kept for predictions, at most: evenly spread over the sweeps after the
        burn-in. Memory and the time of predictions grow with them.""",
        group=TRAINING,
    )
    fields: object = setting(
        "auto",
        [StrOptions({"auto"}), "array-like", None],
        '"auto", array-like of shape (n_features,) or None',
        """Fields: columns that share a prior. "auto" takes runs of neighbouring columns of which no
        row has two, as one-hot encoders make them; a column of several values is a field of its
        own. An array has a label for each column. None is one field of all columns.""",
        group=RARELY,
    )
    random_state: object = setting(
        None,
        ["random_state"],
        "int, RandomState instance or None",
        "Seed of the draws. The same int gives the same result, bit for bit.",
        group=TRAINING,
    )

    # What stands for the words in braces in docstrings.
    _words: dict = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "{parameters}" in (cls.__doc__ or ""):
            sections = {
                "parameters": parameters_section(cls),
                "attributes": f"Attributes\n----------\n{cls._words['own']}\n{_ATTRIBUTES}",
                "notes": _NOTES,
            }
            cls.__doc__ = filled(cls.__doc__, sections | cls._words)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Draw from the posterior.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. Sparse input stays sparse.
        y : array-like of shape (n_samples,)
            Targets, or labels of two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. A weight of 2 has the effect of giving the row twice, a weight of 0
            that of leaving it out. A classifier takes whole numbers only. If the mean of a
            regressor's weights is below 1, they are scaled to a mean of 1.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the model cannot learn from the input.

        Notes
        -----
        A fit that raises an error leaves the estimator as it was.
        """
        fitted = copy.copy(self)
        notices = fitted._fit(X, y, sample_weight)
        self.__dict__ = vars(fitted)
        for message, category in notices:
            warnings.warn(message, category, stacklevel=3)
        return self

    def _fit(self, X, y, sample_weight) -> Notices:
        X, y = checks.check_rows_and_target(self, X, y, reset=True, y_numeric=self._y_numeric)
        y = column_or_1d(y, warn=True)
        weight = weights.check_weights(sample_weight, X)
        if not weight.all():
            X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        target = self._encode_target(y, weight)
        prepared = prepare(
            Rows(X, y, target[:, None], weight, weight),
            np.float64,
            standardises=self._y_numeric,
            n_outputs=1,
            known=None,
            column_mean="rows",
            stream=False,
        )
        if np.abs(prepared.X.data).max(initial=0) > _LARGEST_VALUE:
            raise ValueError(
                f"X goes up to {np.abs(X.data).max():g} in size, which is too large. Divide its "
                "columns (sklearn.preprocessing.MaxAbsScaler)."
            )
        scaling = prepared.units.scaling
        self.fields_ = fields_of(prepared.X, self.fields)
        distinct, row = distinct_rows(prepared.X)
        likelihood = self._likelihood(prepared, row)
        variances = prior_variances(prepared.rows.median_length(), self.embedding_dim)
        sampler = Sampler(distinct, self.fields_, likelihood, variances, self._rng())
        n_burn_in = int(self.burn_in * self.max_iter)
        draws, noise_std = sample(sampler, scaling, self.max_iter, n_burn_in, self.n_draws)
        self.bias_draws_ = draws.bias
        self.linear_weights_draws_ = draws.linear_weights
        self.embeddings_draws_ = draws.embeddings
        self.column_mean_ = scaling.column_mean
        self.n_iter_ = self.max_iter
        self._set_noise(noise_std)
        return codes_notice(self, X)

    def _encode_target(self, y, weight) -> np.ndarray:
        """Targets as numbers (n_rows,)."""
        raise NotImplementedError

    def _likelihood(self, prepared: Prepared, row: np.ndarray) -> NormalNoise | ProbitLink:
        raise NotImplementedError

    def _set_noise(self, noise_std: np.ndarray) -> None:
        """Classes have no noise of their own."""

    def _rng(self) -> np.random.Generator:
        """Generator of this fit. The global random generators are neither read nor changed."""
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = seed.randint(0, 2**32, 4, dtype=np.uint32)
        return np.random.default_rng(seed)

    def _scores(self, X):
        """Yield the scores of each row by each draw."""
        check_is_fitted(self)
        X = checks.centered_rows(self, X)
        draws = Draws(self.bias_draws_, self.linear_weights_draws_, self.embeddings_draws_)
        for score in draws.scores(X):
            if not np.abs(score).max(initial=0) <= LARGEST_TARGET:  # nor is NaN
                raise ValueError(
                    f"A prediction goes beyond {LARGEST_TARGET:g}, or is NaN. The largest |x| is "
                    f"{np.abs(X.data).max(initial=0):g}: clip or scale X as it was for training."
                )
            yield score
