"""The factorization machine (Eq. 3)."""

from typing import NamedTuple

from torch import Tensor

from ._base import BaseFactorizationMachine
from ._compat import HasMethods
from ._core.batches.columns import look_up, rows_of_group
from ._core.models.model import Joiner
from ._core.models.pooled import PooledModel, products_of_pairs
from ._settings import RARELY, setting
from ._tasks import ClassificationTask, RegressionTask


class FM(PooledModel):
    """Sum over all pairs in O(width k): half of (sum squared - sum of squares).

    With one output, p = 1 as in Eq. 3. Several outputs need a p each, which is learnt.
    """

    projection_doc = "Prediction weights p: 1, and learnt if there are several outputs."

    def __init__(self, embedding_dim, n_outputs, dropout=0.0, layers=None):
        fixed = n_outputs == 1 and layers is None
        super().__init__(embedding_dim, n_outputs, dropout, fixed_projection=fixed, layers=layers)

    @property
    def fm(self):
        """The FM of the same size."""
        return FM(self.embedding_dim, self.n_outputs, self.dropout)

    def row_cost(self, width: int) -> int:
        """Floats in memory per row: its embeddings."""
        return width * self.embedding_dim

    def pool(self, parameters, group, generator=None) -> Tensor:
        """Sum of v_i * v_j x_i x_j over the pairs of each row: (n_rows, k)."""
        entries = look_up(parameters["embeddings"], group)
        return (entries.sum(1).square() - entries.square().sum(1)) / 2

    def pair_terms(self, parameters, group) -> tuple[Tensor, Tensor]:
        """Attention 1, and p . (v_i * v_j) x_i x_j of each pair."""
        entries = look_up(parameters["embeddings"], group)
        scores = products_of_pairs(entries, entries, parameters["projection"])
        return scores.new_ones(scores.shape[:2]), scores

    def pair_formula(self, arrays):
        """Nothing: all pairs count alike."""
        return {}

    def joiner(self, parameters):
        """Pairs between two rows are a product of their sums of embeddings."""
        return SumJoiner(self, parameters["projection"])


class SumsOfRows(NamedTuple):
    """What an FM needs of rows that are joined with others."""

    sums: Tensor  # (n_rows, k) of the embeddings
    own: Tensor  # (n_rows,) interactions within the row


class SumJoiner(Joiner):
    """f(c) + f(i) + p . (s_c * s_i), where f are the interactions within a row, s its sums."""

    def __init__(self, model: FM, projection: Tensor):
        self._model, self._projection = model, projection

    def side(self, parameters, batch) -> SumsOfRows:
        """Sums of embeddings, and interactions within each row."""
        embeddings, n_rows = parameters["embeddings"], len(batch.row_lengths)
        sums = embeddings.new_empty(n_rows, embeddings.shape[1])
        own = embeddings.new_empty(n_rows)
        for group in batch.groups:
            rows = rows_of_group(group, embeddings.device)
            sums[rows] = look_up(embeddings, group).sum(1)
            own[rows] = self._model.interactions(parameters, group)[:, 0]
        return SumsOfRows(sums, own)

    def __call__(self, first: SumsOfRows, second: SumsOfRows) -> Tensor:
        """Interactions (n_first, n_second)."""
        between = (first.sums * self._projection) @ second.sums.T
        return between + first.own[:, None] + second.own


class FMEstimator(BaseFactorizationMachine):
    """What FMRegressor and FMClassifier share."""

    init: object = setting(
        None,
        [None, HasMethods(["fit", "predict"])],
        "estimator or None",
        """A fitted FM estimator to start from, with its optimiser's state if it has
        ``warm_start=True``. Inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`.""",
        group=RARELY,
    )

    _words = {
        "bfloat16": "float32 here: only AFM has products that gain from it",
        "notes": r"""Notes
-----
With the non-zero features X of a row, the model is [1]_

.. math::
    y(x) = w_0 + \sum_i w_i x_i + \sum_{(i,j) \in C} c_{ij} x_i x_j
    + \sum_{i > j} v_i^T v_j x_i x_j

C are the crosses (``cross_columns_``), with weights c of their own; ``crosses=None`` leaves them
out. The last sum is computed in time linear in the number of the row's non-zeros.

With ``l2_linear="auto"``, the linear part (w0, w, c) is fitted first, with strengths that are
learnt by the gradient of the held-out loss [2]_. With
``l2_embedding="auto"`` it is fitted together with the embeddings of an FM, by variational inference
[3]_. Training goes on from there.

Training minimises the sum over rows of weight times {loss}, plus ``l2_embedding`` times ||v||^2,
plus ``l2_linear`` times ||w||^2 if it is a number, all divided by the total weight.

{units}

References
----------
.. [1] S. Rendle, "Factorization Machines", ICDM 2010.
.. [2] J. Larsen, L. K. Hansen, C. Svarer and M. Ohlsson, "Design and regularization of neural
   networks: the optimal use of a validation set", NNSP 1996.
.. [3] Y. J. Lim and Y. W. Teh, "Variational Bayesian approach to movie rating prediction", KDD Cup
   2007.""",
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> FM:
        return FM(self.embedding_dim, n_outputs, self.dropout)


class FMRegressor(RegressionTask, FMEstimator):
    """Factorization machine for regression.

    Models all pairwise interactions of a row's non-zero features through embeddings.

    {parameters}

    {attributes}

    See Also
    --------
    AFMRegressor : Weighs the interactions by an attention network.
    FMClassifier : The same model for classification.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import FMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class FMClassifier(ClassificationTask, FMEstimator):
    """Factorization machine for classification.

    Models all pairwise interactions of a row's non-zero features through embeddings.

    {parameters}

    {attributes}

    See Also
    --------
    AFMClassifier : Weighs the interactions by an attention network.
    FMRegressor : The same model for regression.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import FMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
