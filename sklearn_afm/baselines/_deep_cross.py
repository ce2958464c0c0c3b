"""Deep Crossing: residual units above the embeddings of the fields."""

from torch import Tensor

from .._base import BaseFactorizationMachine
from .._core.models.layers import (
    ACTIVATIONS,
    Layers,
    dropout,
    layer,
    layer_parameters,
    output_weights,
)
from .._core.models.stacked import StackedModel
from .._shared_settings import LayerSettings
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class DeepCross(StackedModel):
    """Residual units above the embeddings of a row's fields: relu(W' relu(W e + b) + b' + e).

    Parameters
    ----------
    embedding_dim, n_outputs : int
    fields : ndarray of shape (n_columns,) or None
    sizes : list of int
        Inner units of each residual unit.
    activation : str
    dropout : float
    """

    def __init__(self, embedding_dim, n_outputs, fields, sizes, activation, dropout):
        super().__init__(embedding_dim, n_outputs, fields)
        self._activation, self._dropout = ACTIVATIONS[activation], dropout
        self.n_units = len(sizes)
        for number, size in enumerate(sizes, start=1):
            inner = f"unit_{number}_size"
            setattr(self, inner, size)
            self.parameters += layer_parameters(2 * number - 1, inner, "stacked_size")
            self.parameters += layer_parameters(2 * number, "stacked_size", inner)
        top = Layers((), activation, dropout, "stacked_size")
        self.parameters += (output_weights("projection", top, "Output weights p."),)

    def row_cost(self, width: int) -> int:
        """Floats per row: its vector and what each unit makes of it."""
        return super().row_cost(width) + 4 * self.n_units * self.stacked_size

    def interactions(self, parameters, group, generator=None) -> Tensor:
        """What the units give: (n_rows, n_outputs)."""
        values = self.stacked(parameters, group)
        for number in range(1, self.n_units + 1):
            inner = self._activation(layer(parameters, 2 * number - 1, values))
            if generator is not None and self._dropout:
                inner = dropout(inner, self._dropout, generator)
            values = self._activation(layer(parameters, 2 * number, inner) + values)
        return values @ parameters["projection"].T


class DeepCrossEstimator(LayerSettings, BaseFactorizationMachine):
    """What DeepCrossRegressor and DeepCrossClassifier share."""

    hidden_layer_sizes = (64,) * 5
    _uses_fields = True
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"""p^T u_L(\ldots u_1(e)), \quad
    u_l(e) = ReLU(W'_l ReLU(W_l e + b_l) + b'_l + e)""",
            """e holds the embeddings of the row's fields side by side, and u are residual
units of two layers each [1]_. ``hidden_layer_sizes`` has the inner units of each: five
residual units are the ten layers of the AFM paper's comparison. If a row has several entries
in a field, e has the sum of their :math:`v_i x_i`; for a field without an entry it is 0.

The paper's model has no linear part (``freeze=["linear_weights"]`` leaves it at 0 here), an
activation right above the embeddings, and inputs that it does not embed if they have few
levels.""",
            """.. [1] Y. Shan, T. R. Hoens, J. Jiao, H. Wang, D. Yu and J. C. Mao, "Deep
   Crossing: Web-Scale Modeling without Manually Crafted Combinatorial Features", KDD
   2016.""",
            starts_from_fm=False,
            has_layers=True,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> DeepCross:
        sizes = self._layer_sizes()
        return DeepCross(
            self.embedding_dim, n_outputs, fields, sizes, self.activation, self.dropout
        )


class DeepCrossRegressor(RegressionTask, DeepCrossEstimator):
    """Deep Crossing, for regression.

    Residual units that see the embeddings of a row's fields side by side.

    {parameters}

    {attributes}

    See Also
    --------
    DeepCrossClassifier : The same model for classification.
    WideAndDeepRegressor : Plain layers in place of the residual units.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import DeepCrossRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, DeepCrossRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class DeepCrossClassifier(ClassificationTask, DeepCrossEstimator):
    """Deep Crossing, for classification.

    Residual units that see the embeddings of a row's fields side by side.

    {parameters}

    {attributes}

    See Also
    --------
    DeepCrossRegressor : The same model for regression.
    WideAndDeepRegressor : Plain layers in place of the residual units.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import DeepCrossClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, DeepCrossClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
