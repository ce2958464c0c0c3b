"""Wide & Deep: a linear part with crosses, and hidden layers above the embeddings of the fields."""

from torch import Tensor

from .._base import BaseFactorizationMachine
from .._core.models.layers import output_weights
from .._core.models.stacked import StackedModel
from .._shared_settings import LayerSettings
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class WideAndDeep(StackedModel):
    """Hidden layers above the embeddings of a row's fields; the linear part is the wide part."""

    def __init__(self, embedding_dim, n_outputs, fields, layers):
        super().__init__(embedding_dim, n_outputs, fields)
        self.layers = layers
        vars(self).update(layers.axes)
        weights = output_weights("projection", layers, "Output weights p.")
        self.parameters += (*layers.parameters, weights)

    def interactions(self, parameters, group, generator=None) -> Tensor:
        """What the layers give: (n_rows, n_outputs)."""
        stacked = self.stacked(parameters, group)
        return self.layers(parameters, stacked, generator) @ parameters["projection"].T


class WideAndDeepEstimator(LayerSettings, BaseFactorizationMachine):
    """What WideAndDeepRegressor and WideAndDeepClassifier share."""

    hidden_layer_sizes = (64, 64)
    _uses_fields = True
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            "p^T g(e)",
            """e holds the embeddings of the row's fields side by side, and g are the hidden
layers [1]_. If a row has several entries in a field, e has the sum of their :math:`v_i x_i`;
for a field without an entry it is 0. The linear part is the paper's wide part. Its crosses
are learnt (``crosses="auto"``) or given by pairs of fields; in the paper, people choose them.

The authors' code trains both parts at once, the wide part by FTRL. Here the wide part is
fitted first and stays as it is. With a number for `l2_linear`, both are trained at once,
without crosses.""",
            """.. [1] H.-T. Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS
   2016.""",
            starts_from_fm=False,
            has_layers=True,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> WideAndDeep:
        return WideAndDeep(self.embedding_dim, n_outputs, fields, self._layers("stacked_size"))


class WideAndDeepRegressor(RegressionTask, WideAndDeepEstimator):
    """Wide & Deep, for regression.

    A linear part with weights for pairs of levels, plus hidden layers that see the embeddings of
    a row's fields side by side.

    {parameters}

    {attributes}

    See Also
    --------
    WideAndDeepClassifier : The same model for classification.
    DeepFMRegressor : The same with a sum over pairs.
    DeepCrossRegressor : Residual units in place of the layers.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import WideAndDeepRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, WideAndDeepRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class WideAndDeepClassifier(ClassificationTask, WideAndDeepEstimator):
    """Wide & Deep, for classification.

    A linear part with weights for pairs of levels, plus hidden layers that see the embeddings of
    a row's fields side by side.

    {parameters}

    {attributes}

    See Also
    --------
    WideAndDeepRegressor : The same model for regression.
    DeepFMRegressor : The same with a sum over pairs.
    DeepCrossRegressor : Residual units in place of the layers.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import WideAndDeepClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, WideAndDeepClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
