"""Ranking: rows are compared within groups, by a pairwise or list-wise loss."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from ._afm import AFMEstimator
from ._compat import Interval, StrOptions, safe_indexing
from ._core.losses.loss import Loss
from ._core.losses.ranking import RANKING_LOSSES
from ._core.ranks import refuse_group
from ._data.catalogue import make_catalogue
from ._data.checks import check_dense_target
from ._data.weights import check_weights
from ._fm import FMEstimator
from ._groups import group_numbers
from ._settings import TRAINING, setting
from ._shared_settings import TrainingSettings
from .metrics import check_grades, ndcg_at_k


class RankingTask(TrainingSettings):
    """Grades of rows, which a loss compares within groups.

    Inside, y has three columns: the grade of a row, its weight, and the number of its group.
    """

    loss: str = setting(
        "softmax",
        [StrOptions(set(RANKING_LOSSES))],
        '{"bpr", "softmax", "warp"}',
        """What compares the rows of a group. "softmax" is the cross entropy between their gains,
        2^y - 1, and the softmax of their scores. "bpr" is -log sigmoid of the difference of scores
        to the rows of lower y. "warp" is a hinge of these rows, which weighs those more that come
        high in the list. The time of the last two grows with the square of a group's size.""",
    )
    item_columns: object = setting(
        None,
        [slice, "array-like", None],
        "slice, array-like of int or None",
        """Columns of X that describe an item, if the rows are positives alone (implicit feedback).
        Training then draws other items for each row, anew in each epoch: in a copy of the row,
        these columns are exchanged. It draws no item that the row's context (`group`) has. None:
        negative rows are in X.""",
    )
    n_negatives: int = setting(
        4,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Items that are drawn for each row, if there are `item_columns`.",
    )
    negatives: str = setting(
        "uniform",
        [StrOptions({"popular", "uniform"})],
        '{"popular", "uniform"}',
        """How they are drawn: all alike, or in proportion to 1 + the number of their rows. For hard
        negatives, draw more and take ``loss="warp"``: it learns from those alone that come near
        the positive.""",
    )
    scoring: str = setting(
        "ndcg",
        [StrOptions({"ndcg", "loss"})],
        '{"ndcg", "loss"}',
        "Validation score for early stopping: mean NDCG over groups, or the validation loss.",
        group=TRAINING,
    )
    l2_embedding: float = setting(
        1.0,
        [Interval(Real, 0, None, closed="left")],
        "float",
        """Prior on each column's embedding, in units of rows: the embedding of a level that is seen
        less often than this is shrunk hard. If rows have more than 20 non-zeros in the median, m,
        it is multiplied by m / 20.""",
    )
    l2_linear: float = setting(
        0.5,
        [Interval(Real, 0, None, closed="left")],
        "float",
        "Prior on each column's linear weight, in units of rows.",
    )
    crosses: None = setting(
        None,
        [None],
        "None",
        "A ranking loss has no crosses.",
        group=TRAINING,
    )

    _shows_rows = False  # y is that of lists
    _words = {
        "loss": "ranking loss",
        "outputs": "n_outputs",
        "task_attributes": "",
        "units": """A ranking loss knows no bias (``bias_`` is 0), and has neither crosses nor a
linear part that is fitted before all else. Columns are divided by the root mean square of their
non-zero values while the model learns; the fitted attributes apply to X as given. A column far
from 0, such as a year, is centred first (``column_mean_``).""",
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.item_columns is None
        return tags

    @property
    def _loss(self) -> Loss:
        return RANKING_LOSSES[self.loss]()

    def _learn_target(self, y, classes) -> tuple[int, bool]:
        """One output, and no axis for it."""
        return 1, False

    def _encode_target(self, y) -> np.ndarray:
        """Grade, weight, and 1 in the first row of each list: (n_rows, 3)."""
        if self.item_columns is not None:  # a row is a list; its context has a number
            return y
        first = np.diff(y[:, 2], prepend=-1) != 0
        return np.column_stack([y[:, :2], first])

    def _learn_loss(self, target, weight, scale) -> None:
        """Grades have no unit."""

    def _class_weights(self, y, target, sample_weight) -> None:
        """There are no classes."""

    def _objective_weight(self, target, sample_weight, class_weights) -> np.ndarray:
        return sample_weight

    def _in_catalogue(self, rows, validation, items) -> tuple:
        if self.item_columns is None:
            if items is not None:
                raise ValueError("items is given, but item_columns is None. Set it too.")
            return None, rows, validation
        popular = self.negatives == "popular"
        return make_catalogue(self.item_columns, items, popular, rows, validation)

    def fit(
        self,
        X,
        y=None,
        *,
        group=None,
        sample_weight=None,
        X_val=None,
        y_val=None,
        group_val=None,
        items=None,
    ):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. Sparse input stays sparse.
        y : array-like of shape (n_samples,), default=None
            Relevance of each row: numbers from 0 to 30, more is better; usually small integers.
            Only rows of one group are compared. With `item_columns`, all rows are positives:
            None, or numbers above 0, whose size has no effect.
        group : array-like, default=None
            An id for each row (as `qid` of XGBoost), in any order; or the sizes of groups of
            consecutive rows, whose sum is n_samples (as `group` of LightGBM). As many values as
            rows are ids. None: all rows are one group. Groups whose rows all have the same y teach
            nothing, and are left out. With `item_columns`, ids of the contexts, such as users,
            whose items are not drawn as negatives. None: the columns of X that are not of the item
            are the context.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. A weight of 2 in all rows of a group has the effect of giving the
            group twice. With ``loss`` "softmax" and "bpr", a weight of 2 in one row has that of
            giving it twice in its group. A weight of 0 leaves a row out.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows for early stopping, instead of a part of the groups of X.
        y_val : array-like of shape (n_val,), default=None
            Their relevance.
        group_val : array-like, default=None
            Their groups.
        items : {array-like, sparse matrix} of shape (n_items, n_item_columns), default=None
            All items that can be drawn, with `item_columns`: a row for each, of these columns
            alone. An item without a row in X is learnt only if it is among them. None: the items
            of X.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the sizes in `group` do not sum to the number of rows, no group has rows of unequal
            y, y lies outside 0 to 30, or as for :class:`FMRegressor`.

        Notes
        -----
        A step takes whole groups, up to the first that fills `batch_size`. `validation_fraction` is
        a share or number of groups, never a splitter; with `item_columns`, of rows. Each row for
        early stopping is then ranked among 100 items that are drawn alike, once.
        """
        refuse_group(f"{type(self).__name__}.fit")
        self._continues()  # what is refused below leaves the estimator unfitted
        self._working_copy()._validate_params()
        if self.item_columns is not None:
            weight = sample_weight
            y, y_val = _in_contexts((X, y, group), (X_val, y_val, group_val))
        else:
            X, y, weight = _in_lists(X, y, group, sample_weight)
            if y is not None:
                weight = _weight_of_what_teaches(y, weight)
            X_val, y_val, _ = _in_lists(X_val, y_val, group_val, None, "{}_val")
        return self._take_over(*self._trained(X, y, weight, X_val, y_val, None, items=items))

    def predict(self, X):
        """Score each row; within a group, a higher score comes first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Scores. Only their differences within a group have a meaning.

        Raises
        ------
        ValueError
            If X cannot be read as numbers, or a raw score is infinite or NaN.
        """
        return self._raw_scores(X)[:, 0]

    def score(self, X, y, *, group=None):
        """Mean NDCG over groups.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.
        y : array-like of shape (n_samples,)
            Their relevance.
        group : array-like, default=None
            Their groups, as in ``fit``.

        Returns
        -------
        ndcg : float
            :func:`sklearn_afm.metrics.ndcg_at_k` of all rows.
        """
        return ndcg_at_k(y, self.predict(X), group=group)

    @property
    def partial_fit(self):
        """Rankers do not learn from streams."""
        raise AttributeError(f"{type(self).__name__} has no partial_fit; use fit.")

    @property
    def fit_blocks(self):
        """Rankers do not learn from blocks, which could cut groups."""
        raise AttributeError(f"{type(self).__name__} has no fit_blocks; use fit.")


def _in_contexts(training, validation) -> tuple:
    """The y of positives (n_rows, 3): grade, weight and number of the context; -1 without groups.

    Both arguments are X, y and group; y_val is None without X_val.
    """
    parts = [_positives(*training, ""), _positives(*validation, "_val")]
    ids = [group for X, _, group in (training, validation) if X is not None]
    if any(group is None for group in ids) != all(group is None for group in ids):
        raise ValueError("Give both group and group_val, or none of them.")
    if ids[0] is not None:
        number = group_numbers(np.concatenate(ids), sum(map(len, ids)))
        parts[0][:, 2] = number[: len(ids[0])]
        if len(ids) > 1:
            parts[1][:, 2] = number[len(ids[0]) :]
    return parts[0], parts[1]


def _positives(X, y, group, suffix: str):
    """The y of positives, whose contexts have no numbers yet; y itself if there is no X."""
    if X is None:
        if group is not None:
            raise ValueError(f"group{suffix} is given without X{suffix}.")
        return y
    n_rows = check_weights(None, X).size
    if y is not None:
        check_consistent_length(X, y)
        if not (np.asarray(y) > 0).all():
            raise ValueError(
                f"y{suffix} must be above 0 in all rows, since item_columns makes them positives. "
                "Leave the others out, or set item_columns=None."
            )
    if group is not None and len(column_or_1d(group)) != n_rows:
        raise ValueError(
            f"group{suffix} has {len(group)} values, X{suffix} {n_rows} rows. With item_columns, "
            "give the id of each row's context."
        )
    return np.tile([1.0, 1.0, -1.0], (n_rows, 1))


def _in_lists(X, y, group, sample_weight, title="{}"):
    """Rows in the order of their groups: X; grade, weight and group (n_rows, 3); weight.

    What is None stays so: `fit` says what is missing.
    """
    if X is None or y is None:
        if group is not None:
            raise ValueError(f"{title.format('group')} is given without X and y.")
        return X, y, sample_weight
    check_dense_target(y)
    grade = column_or_1d(y, warn=True)
    grade = check_array(grade, ensure_2d=False, dtype=np.float64, input_name=title.format("y"))
    check_grades(grade, title.format("y"))
    number = group_numbers(group, len(grade), title.format("group"))
    weight = check_weights(sample_weight, grade)
    if (np.diff(number) < 0).any():
        order = np.argsort(number, kind="stable")
        X = safe_indexing(X.tocsr() if sparse.issparse(X) else X, order)
        grade, weight, number = grade[order], weight[order], number[order]
    return X, np.column_stack([grade, weight, number]), weight


def _weight_of_what_teaches(y, weight) -> np.ndarray:
    """0 for the rows of groups without unequal grades."""
    grade, number = y[:, 0], y[:, 2].astype(np.int64)
    counts = weight > 0
    lowest = np.full(number[-1] + 1, np.inf)
    highest = -lowest
    np.minimum.at(lowest, number[counts], grade[counts])
    np.maximum.at(highest, number[counts], grade[counts])
    teaches = lowest < highest
    if not teaches.any():
        raise ValueError(
            f"No group has rows of unequal y (n_samples={len(y)}, {len(lowest)} groups), so that "
            "there is nothing to rank. Give group such that rows of high and low y share one."
        )
    return np.where(teaches[number], weight, 0)


class FMRanker(RankingTask, FMEstimator):
    """Factorization machine for ranking.

    Models all pairwise interactions of a row's non-zero features through embeddings, and learns to
    order the rows of a group.

    {parameters}

    {attributes}

    See Also
    --------
    AFMRanker : Weighs the interactions by an attention network.
    FMRegressor : The same model for regression.

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_afm import FMRanker
    >>> rng = np.random.default_rng(0)
    >>> user, item = rng.integers(0, 20, 2000), rng.integers(0, 10, 2000)
    >>> X = np.hstack([np.eye(20)[user], np.eye(10)[item]])
    >>> y = (user + item) % 3  # who likes what
    >>> model = FMRanker(random_state=0).fit(X, y, group=user)
    >>> model.score(X, y, group=user) > 0.9
    True
    """


class AFMRanker(RankingTask, AFMEstimator):
    """Attentional factorization machine for ranking.

    Models all pairwise interactions of a row's non-zero features through embeddings, weighs each by
    a small attention network, and learns to order the rows of a group.

    {parameters}

    {attributes}

    See Also
    --------
    FMRanker : The same without attention.
    AFMRegressor : The same model for regression.

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_afm import AFMRanker
    >>> rng = np.random.default_rng(0)
    >>> user, item = rng.integers(0, 20, 2000), rng.integers(0, 10, 2000)
    >>> X = np.hstack([np.eye(20)[user], np.eye(10)[item]])
    >>> y = (user + item) % 3  # who likes what
    >>> model = AFMRanker(random_state=0).fit(X, y, group=user)
    >>> model.score(X, y, group=user) > 0.9
    True
    """
