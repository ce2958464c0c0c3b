"""The neural factorization machine: hidden layers above the pooled pairs of an FM."""

from torch import Tensor

from .._base import BaseFactorizationMachine
from .._core.models.layers import moments, normalised
from .._core.models.model import Parameter
from .._fm import FM
from .._settings import RARELY, setting
from .._shared_settings import LayerSettings
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class NFM(FM):
    """Sum over all pairs, normalised over the rows, then hidden layers.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    dropout : float
    layers : Layers or None
        What stands above the sum. None: nothing, it is an FM.
    normalises : bool
        Whether the sum is normalised; it needs `layers`, even if these are none.
    """

    n_moments = 3

    def __init__(self, embedding_dim, n_outputs, dropout=0.0, layers=None, normalises=False):
        super().__init__(embedding_dim, n_outputs, dropout, layers)
        if normalises:
            self.statistics = ("pooled_moments",)
            self.parameters += (
                Parameter(
                    "pooled_moments",
                    ("n_moments", "embedding_dim"),
                    "Running means of 1, the pooled vectors and their squares, over training rows.",
                    fixed=True,
                ),
            )

    @property
    def fm(self):
        """The FM of the same size, if it is one."""
        return FM(self.embedding_dim, self.n_outputs, self.dropout) if self.layers is None else None

    def row_statistics(self, parameters, group) -> dict[str, Tensor]:
        """Moments of the pooled vectors."""
        return {name: moments(super(NFM, self).pool(parameters, group)) for name in self.statistics}

    def pool(self, parameters, group, generator=None) -> Tensor:
        """Sum of v_i * v_j x_i x_j over the pairs of each row, normalised: (n_rows, k)."""
        pooled = super().pool(parameters, group)
        return normalised(pooled, parameters["pooled_moments"]) if self.statistics else pooled


class NFMEstimator(LayerSettings, BaseFactorizationMachine):
    """What NFMRegressor and NFMClassifier share."""

    batch_norm: bool = setting(
        True,
        ["boolean"],
        "bool",
        "Whether the pooled vectors are normalised over the rows of a batch.",
        group=RARELY,
    )
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"p^T g(\sum_{i > j} (v_i \odot v_j) x_i x_j)",
            """g are the hidden layers [1]_. With ``hidden_layer_sizes=()`` and
``batch_norm=False`` the model is :class:`~sklearn_afm.FMRegressor` or
:class:`~sklearn_afm.FMClassifier`, which then gives the same numbers.

With ``batch_norm``, the argument of g is normalised: by mean and variance over the rows of a
batch in training, weighed by `sample_weight`; by their running means (``pooled_moments_``) in
prediction. The authors' code normalises the hidden layers too, has a scale and a shift after
each normalisation (the layer above learns them), and penalises the embeddings alone.""",
            """.. [1] X. He and T.-S. Chua, "Neural Factorization Machines for Sparse Predictive
   Analytics", SIGIR 2017.""",
            starts_from_fm=False,
            has_layers=True,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> NFM:
        has_head = self.batch_norm or self._layer_sizes()
        layers = self._layers("embedding_dim") if has_head else None
        return NFM(self.embedding_dim, n_outputs, self.dropout, layers, self.batch_norm)


class NFMRegressor(RegressionTask, NFMEstimator):
    """Neural factorization machine, for regression.

    Pools all pairwise interactions of a row's non-zero features, as an FM does, and puts hidden
    layers above the pooled vector.

    {parameters}

    {attributes}

    See Also
    --------
    NFMClassifier : The same model for classification.
    sklearn_afm.FMRegressor : The same without hidden layers.
    sklearn_afm.AFMRegressor : Weighs the interactions, and can have hidden layers above them too.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import NFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, NFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class NFMClassifier(ClassificationTask, NFMEstimator):
    """Neural factorization machine, for classification.

    Pools all pairwise interactions of a row's non-zero features, as an FM does, and puts hidden
    layers above the pooled vector.

    {parameters}

    {attributes}

    See Also
    --------
    NFMRegressor : The same model for regression.
    sklearn_afm.FMRegressor : The same without hidden layers.
    sklearn_afm.AFMRegressor : Weighs the interactions, and can have hidden layers above them too.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import NFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, NFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
