"""The field-aware factorization machine: an embedding for each field that a column meets."""

from torch import Tensor
from torch.nn import functional as F

from .._base import BaseFactorizationMachine
from .._core.batches.columns import select_rows
from .._core.batches.fields import fields_of_entries, number_of_fields
from .._core.models.pooled import PooledModel
from .._core.pairs.pairs import pair_positions
from .._core.tensors import shared_tensor
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class FFM(PooledModel):
    """Sum over all pairs; each member has the embedding that is for the other one's field."""

    def __init__(self, embedding_dim, n_outputs, fields, dropout=0.0):
        super().__init__(
            embedding_dim,
            n_outputs,
            dropout,
            fixed_projection=n_outputs == 1,
            embedding_axis="field_dim",
        )
        self.fields = fields
        self.field_dim = number_of_fields(fields) * embedding_dim

    def row_cost(self, width: int) -> int:
        """Floats in memory per row: both embeddings of a pair, their product and its gradient."""
        return width * (width - 1) // 2 * 4 * self.embedding_dim

    def products(self, parameters, group) -> Tensor:
        """v_i,f(j) * v_j,f(i) x_i x_j of each pair: (n_rows, n_pairs, k)."""
        later, earlier = pair_positions(group.features.shape[1])
        n_fields = number_of_fields(self.fields)
        field, start = fields_of_entries(self.fields, group), group.features * n_fields
        # Padding: the last feature, of zeros, has as many rows as any.
        table = F.pad(parameters["embeddings"], (0, 0, 0, 1))
        table = table.view(len(table) * n_fields, -1)
        place = (
            shared_tensor(start[:, one] + field[:, other], table.device)
            for one, other in ((later, earlier), (earlier, later))
        )
        first, second = (select_rows(table, rows) for rows in place)
        return first * second

    def pool(self, parameters, group, generator=None) -> Tensor:
        """Sum of the products over the pairs of each row: (n_rows, k)."""
        return self.products(parameters, group).sum(1)

    def pair_terms(self, parameters, group) -> tuple[Tensor, Tensor]:
        """Attention 1, and p . (v_i,f(j) * v_j,f(i)) x_i x_j of each pair."""
        scores = self.products(parameters, group) @ parameters["projection"].T
        return scores.new_ones(scores.shape[:2]), scores


class FFMEstimator(BaseFactorizationMachine):
    """What FFMRegressor and FFMClassifier share."""

    _uses_fields = True
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"\sum_{i > j} v_{i,f(j)}^T v_{j,f(i)} x_i x_j",
            """f(i) is the field of column i (``fields_``) [1]_. Row i of ``embeddings_`` has
the embeddings :math:`v_{i,f}` of all fields f, one after the other:
``embeddings_.reshape(n_features, -1, embedding_dim)``. So the table has n_features x n_fields
x k numbers, n_fields times those of an FM; a fit holds it four times. Two entries of one
field are a pair too.

The authors' code (LIBFFM) has no linear part, divides each row by its norm, and starts from
uniform numbers in [0, 1 / sqrt(k)]. The embeddings start from small random numbers here, and
their default prior is weaker than that of an FM: each is in pairs with one field alone.""",
            """.. [1] Y. Juan, Y. Zhuang, W.-S. Chin and C.-J. Lin, "Field-aware Factorization
   Machines for CTR Prediction", RecSys 2016.""",
            starts_from_fm=False,
            has_layers=False,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> FFM:
        return FFM(self.embedding_dim, n_outputs, fields, self.dropout)


class FFMRegressor(RegressionTask, FFMEstimator):
    """Field-aware factorization machine, for regression.

    Models all pairwise interactions of a row's non-zero features. A column has an embedding for
    each field that it can meet.

    {parameters}

    {attributes}

    See Also
    --------
    FFMClassifier : The same model for classification.
    FwFMRegressor : One embedding per column, and a weight for each pair of fields.
    sklearn_afm.FMRegressor : One embedding per column.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import FFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class FFMClassifier(ClassificationTask, FFMEstimator):
    """Field-aware factorization machine, for classification.

    Models all pairwise interactions of a row's non-zero features. A column has an embedding for
    each field that it can meet.

    {parameters}

    {attributes}

    See Also
    --------
    FFMRegressor : The same model for regression.
    FwFMRegressor : One embedding per column, and a weight for each pair of fields.
    sklearn_afm.FMRegressor : One embedding per column.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import FFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
