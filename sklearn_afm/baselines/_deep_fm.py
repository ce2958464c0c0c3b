"""DeepFM: an FM, and hidden layers above the same embeddings."""

from torch import Tensor

from .._base import BaseFactorizationMachine
from .._core.batches.fields import number_of_fields, sums_by_field
from .._core.models.layers import output_weights
from .._fm import FM
from .._shared_settings import LayerSettings
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class DeepFM(FM):
    """An FM plus hidden layers above the embeddings of a row's fields, side by side.

    With one output, p = 1 in the FM part. The embeddings then carry the root of the target's unit,
    and the first layer takes it out.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    fields : ndarray of shape (n_columns,) or None
    dropout : float
    make_layers : callable (input_axis, input_power) -> Layers
    """

    def __init__(self, embedding_dim, n_outputs, fields, dropout, make_layers):
        super().__init__(embedding_dim, n_outputs, dropout)
        self.fields = fields
        self.deep = make_layers("stacked_size", 0.5 if n_outputs == 1 else 0.0)
        vars(self).update(self.deep.axes)
        self.stacked_size = number_of_fields(fields) * embedding_dim
        weights = output_weights("deep_projection", self.deep, "Output weights of the layers.")
        self.parameters += (*self.deep.parameters, weights)

    pair_terms = None
    renews_factors = True

    def row_cost(self, width: int) -> int:
        """Floats in memory per row: its embeddings, and what the layers see."""
        return 2 * width * self.embedding_dim + 2 * self.stacked_size

    def interactions(self, parameters, group, generator=None) -> Tensor:
        """Those of the FM, and what the layers give: (n_rows, n_outputs)."""
        stacked = sums_by_field(parameters["embeddings"], self.fields, group).flatten(1)
        deep = self.deep(parameters, stacked, generator) @ parameters["deep_projection"].T
        return super().interactions(parameters, group, generator) + deep


class DeepFMEstimator(LayerSettings, BaseFactorizationMachine):
    """What DeepFMRegressor and DeepFMClassifier share."""

    hidden_layer_sizes = (64, 64)
    _uses_fields = True
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"\sum_{i > j} v_i^T v_j x_i x_j + p^T g(e)",
            """e holds the embeddings of the row's fields side by side, and g are the hidden
layers [1]_. The sum over pairs and e share the embeddings. If a row has several entries in a field,
e has the sum of their :math:`v_i x_i`; for a field without an entry it is 0. The output
weights p start at 0, so that training starts from an FM.

The paper's wide layers (200 to 400 units) are for millions of rows. Common implementations can
normalise the layers over batches too.""",
            """.. [1] H. Guo, R. Tang, Y. Ye, Z. Li and X. He, "DeepFM: A Factorization-Machine
   based Neural Network for CTR Prediction", IJCAI 2017.""",
            starts_from_fm=True,
            has_layers=True,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> DeepFM:
        return DeepFM(self.embedding_dim, n_outputs, fields, self.dropout, self._layers)


class DeepFMRegressor(RegressionTask, DeepFMEstimator):
    """DeepFM, for regression.

    A factorization machine, plus hidden layers that see the embeddings of a row's fields side by
    side.

    {parameters}

    {attributes}

    See Also
    --------
    DeepFMClassifier : The same model for classification.
    sklearn_afm.FMRegressor : The same without hidden layers.
    WideAndDeepRegressor : The same without the sum over pairs.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import DeepFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, DeepFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class DeepFMClassifier(ClassificationTask, DeepFMEstimator):
    """DeepFM, for classification.

    A factorization machine, plus hidden layers that see the embeddings of a row's fields side by
    side.

    {parameters}

    {attributes}

    See Also
    --------
    DeepFMRegressor : The same model for regression.
    sklearn_afm.FMRegressor : The same without hidden layers.
    WideAndDeepRegressor : The same without the sum over pairs.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import DeepFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, DeepFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
