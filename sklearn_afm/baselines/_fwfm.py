"""The field-weighted factorization machine: an FM with a weight for each pair of fields."""

import torch
from torch import Tensor

from .._base import BaseFactorizationMachine
from .._core.batches.columns import look_up
from .._core.batches.fields import number_of_fields
from .._core.models.model import field_pairs
from .._core.models.pooled import PooledModel, products_of_pairs
from .._core.pairs.of_fields import of_field_pairs
from .._core.pairs.weighted_sum import weighted_pair_sum
from .._fm import FM
from .._shared_settings import FieldPairSettings
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes

# Numbers that each pair of a row needs: its fields, their weight, and the way back.
NUMBERS_PER_PAIR = 8


class FwFM(PooledModel):
    """Sum over all pairs, each weighed by r of its two fields."""

    renews_factors = True

    def __init__(self, embedding_dim, n_outputs, fields, dropout=0.0):
        super().__init__(embedding_dim, n_outputs, dropout, fixed_projection=n_outputs == 1)
        self.fields, self.n_fields = fields, number_of_fields(fields)
        self.fm = FM(embedding_dim, n_outputs, dropout)
        self.parameters += (
            field_pairs("field_weights", "Weight r of each pair of fields; symmetric.", 1.0),
        )

    def row_cost(self, width: int) -> int:
        """Numbers in memory per row."""
        return width * self.embedding_dim + width * (width - 1) // 2 * NUMBERS_PER_PAIR

    def pool(self, parameters, group, generator=None) -> Tensor:
        """Sum of r_f(i)f(j) (v_i * v_j) x_i x_j over the pairs of each row: (n_rows, k)."""
        embeddings = parameters["embeddings"]
        if group.features.shape[1] < 2:
            return embeddings.new_zeros(len(group.features), embeddings.shape[1])
        weights = of_field_pairs(parameters["field_weights"], self.fields, group)
        return weighted_pair_sum(embeddings, group, weights)

    def pair_formula(self, arrays):
        """The weights of field pairs."""
        return {"field_weights": arrays["field_weights"]}

    def pair_terms(self, parameters, group) -> tuple[Tensor, Tensor]:
        """Attention 1, and r_f(i)f(j) p . (v_i * v_j) x_i x_j of each pair."""
        entries = look_up(parameters["embeddings"], group)
        weights = of_field_pairs(parameters["field_weights"], self.fields, group)
        scores = products_of_pairs(entries, entries, parameters["projection"])
        return torch.ones_like(weights), scores * weights[:, :, None]


class FwFMEstimator(FieldPairSettings, BaseFactorizationMachine):
    """What FwFMRegressor and FwFMClassifier share."""

    _uses_fields = True
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"\sum_{i > j} r_{f(i) f(j)} v_i^T v_j x_i x_j",
            """f(i) is the field of column i (``fields_``) and r a symmetric matrix that
starts at 1, so that training starts from an FM [1]_. Two entries of one field are a pair too,
with the weight :math:`r_{ff}`.

The paper's comparison regularises r as it does the embeddings; here r has no penalty. The
linear part is the paper's "FwFM_LW", a weight for each column.""",
            """.. [1] J. Pan, J. Xu, A. L. Ruiz, W. Zhao, S. Pan, Y. Sun and Q. Lu,
   "Field-weighted Factorization Machines for Click-Through Rate Prediction in
   Display Advertising", WWW 2018.""",
            starts_from_fm=True,
            has_layers=False,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> FwFM:
        return FwFM(self.embedding_dim, n_outputs, fields, self.dropout)


class FwFMRegressor(RegressionTask, FwFMEstimator):
    """Field-weighted factorization machine, for regression.

    Models all pairwise interactions of a row's non-zero features through embeddings, and weighs
    each by a number for its pair of fields.

    {parameters}

    {attributes}

    See Also
    --------
    FwFMClassifier : The same model for classification.
    sklearn_afm.FMRegressor : The same without weights.
    FFMRegressor : An embedding for each field that a column meets.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import FwFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FwFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class FwFMClassifier(ClassificationTask, FwFMEstimator):
    """Field-weighted factorization machine, for classification.

    Models all pairwise interactions of a row's non-zero features through embeddings, and weighs
    each by a number for its pair of fields.

    {parameters}

    {attributes}

    See Also
    --------
    FwFMRegressor : The same model for regression.
    sklearn_afm.FMRegressor : The same without weights.
    FFMRegressor : An embedding for each field that a column meets.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import FwFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FwFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
