"""The attentional factorization machine (Eq. 4 to 6)."""

from numbers import Integral, Real

import numpy as np
import torch
from torch import Tensor

from ._base import BaseFactorizationMachine
from ._compat import HasMethods, Interval, StrOptions
from ._core.batches.columns import look_up
from ._core.batches.fields import number_of_fields
from ._core.models.layers import Layers, dropout
from ._core.models.model import Parameter, constant, field_pairs, normal
from ._core.models.pooled import PooledModel, products_of_pairs
from ._core.models.spread import attention_spread, spread_in_words
from ._core.pairs.attention import INDICES_PER_PAIR, AttentionNetwork, attention_of_pairs
from ._core.pairs.drawn import drawn_pair_sum
from ._core.pairs.joined import AttentionJoiner, FieldMatrices
from ._core.pairs.of_fields import of_field_pairs
from ._core.pairs.pairs import PairFinder
from ._core.pairs.scorer import PairScorer, in_proportion
from ._core.pairs.weighted_sum import weighted_pair_sum
from ._fm import FM
from ._settings import RARELY, TRAINING, setting
from ._shared_settings import FieldPairSettings, LayerSettings
from ._tasks import ClassificationTask, RegressionTask


class AFM(PooledModel):
    """Sum over all pairs, each weighed by the attention network.

    Parameters
    ----------
    embedding_dim, attention_dim, n_outputs : int
        k, t and the number of outputs.
    dropout, attention_dropout : float
        Shares of the pooled vector and of the attention that training sets to 0.
    median_pairs : float
        Pairs of a usual row. p starts at this number, so that the model starts as strong as an FM.
    scales_rows : bool
        Multiply the pooled vector of a row by its number of pairs / `median_pairs`.
    product_dtype : torch.dtype or None
        Type in which the attention network's matrix products run. None: that of the embeddings.
    share_pairs : bool
        Compute equal pairs of a group once, if on a CPU: elsewhere, to find them takes longer.
    layers : Layers or None
        Hidden layers above the pooled vector.
    fields : ndarray of shape (n_columns,) or None
        The number of each column's field.
    field_aware : bool
        Each pair of fields has a weight and an attention bias.
    max_pairs : int or None
        Pairs that training draws of a row that has more. None: all.
    """

    weighs_pairs = True
    descriptions = {
        "attention_spread": "Standard deviation of the attention over the pairs of (up to 500) "
        "training rows, in units of its mean: 0 if all pairs of a row have the same attention, as "
        "in an FM."
    }

    def __init__(
        self,
        embedding_dim: int,
        attention_dim: int,
        n_outputs: int,
        *,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        median_pairs: float = 1.0,
        scales_rows: bool = True,
        product_dtype: torch.dtype | None = None,
        share_pairs: bool = True,
        layers: Layers | None = None,
        fields: np.ndarray | None = None,
        field_aware: bool = False,
        max_pairs: int | None = None,
    ):
        super().__init__(embedding_dim, n_outputs, dropout, median_pairs, layers=layers)
        self.attention_dim = attention_dim
        self.attention_dropout = attention_dropout
        self._usual_pairs = median_pairs if scales_rows else None
        self._product_dtype = product_dtype
        self._find_pairs, self._share_pairs = PairFinder(), share_pairs
        network = {"rate": "attention_lr_multiplier", "part": "attention"}
        # h = 0: attention is uniform, and the AFM starts as an FM. b > 0: all hidden units are
        # active. From b = 0, Adagrad's first steps, a whole learning rate each, could make every b
        # so negative that no unit is ever active again.
        t = "attention_dim"
        self.parameters += (
            Parameter(
                "attention_weight",
                (t, "embedding_dim"),
                "W of the attention network.",
                start=normal(np.sqrt(2 / (embedding_dim + attention_dim))),
                strength="l2_attention",
                **network,
            ),
            Parameter(
                "attention_bias", (t,), "b of the attention network.", constant(0.1), **network
            ),
            Parameter("attention_context", (t,), "h of the attention network.", **network),
        )
        self._field_aware = self.renews_factors = field_aware
        self._max_pairs = max_pairs
        self.fields, self.n_fields = fields, number_of_fields(fields)
        if field_aware:
            self.parameters += (
                field_pairs("field_weights", "Weight of each pair of fields; symmetric.", 1.0),
                field_pairs("field_biases", "Attention bias of each pair of fields; symmetric."),
            )

    @property
    def fm(self) -> FM | None:
        """The FM of the same size; hidden layers cannot start as one."""
        return None if self.layers else FM(self.embedding_dim, self.n_outputs, self.dropout)

    def row_cost(self, width: int) -> int:
        """Numbers in memory per row."""
        return width * (width - 1) // 2 * INDICES_PER_PAIR

    def training_cost(self, width: int) -> int:
        """The same in training: what each drawn pair needs, if pairs are drawn."""
        each = 4 * self.embedding_dim + 2 * self.attention_dim
        return self._max_pairs * each if self._draws_pairs(width) else self.row_cost(width)

    def _draws_pairs(self, width: int) -> bool:
        return self._max_pairs is not None and width * (width - 1) // 2 > self._max_pairs

    def pool(self, parameters, group, generator=None) -> Tensor:
        """Sum of a_ij (v_i * v_j) x_i x_j over the pairs of each row: (n_rows, k)."""
        embeddings = parameters["embeddings"]
        if group.features.shape[1] < 2:
            return embeddings.new_zeros(len(group.features), embeddings.shape[1])
        if generator is not None and self._draws_pairs(group.features.shape[1]):
            of_fields = self.fields, *map(parameters.get, ("field_biases", "field_weights"))
            options = self._max_pairs, generator, *of_fields
            pooled = drawn_pair_sum(embeddings, group, _network(parameters), *options)
            return in_proportion(pooled, group, len(embeddings), self._usual_pairs)
        attention = self.attention(parameters, group)
        if generator is not None and self.attention_dropout:
            attention = dropout(attention, self.attention_dropout, generator)
        if self._field_aware:
            attention = attention * of_field_pairs(parameters["field_weights"], self.fields, group)
        pooled = weighted_pair_sum(embeddings, group, attention)
        return in_proportion(pooled, group, len(embeddings), self._usual_pairs)

    def attention(self, parameters, group) -> Tensor:
        """Attention of each pair (Eq. 5): (n_rows, n_pairs), 0 for padding."""
        embeddings, bias = parameters["embeddings"], None
        if self._field_aware:
            bias = of_field_pairs(parameters["field_biases"], self.fields, group)
        find_pairs = self._find_pairs if self._shares(embeddings) else None
        options = find_pairs, self._product_dtype, bias
        return attention_of_pairs(embeddings, group, _network(parameters), *options)

    def _shares(self, embeddings: Tensor) -> bool:
        """Whether equal pairs are computed once."""
        return self._share_pairs and embeddings.device.type == "cpu"

    def scorer(self, parameters, n_columns, one_hot):
        """One output needs no pooled vectors, if nothing but p stands above them."""
        needs_pooled = self.n_outputs > 1 or self._field_aware or self.layers is not None
        if needs_pooled or not self._shares(parameters["embeddings"]):
            return super().scorer(parameters, n_columns, one_hot)
        network, projection = _network(parameters), parameters["projection"]
        return PairScorer(network, projection, n_columns, one_hot, self._usual_pairs)

    def joiner(self, parameters):
        """Many rows share a pair of a column of one row and a column of the other."""
        matrices = map(parameters.get, ("field_weights", "field_biases"))
        of_fields = FieldMatrices(*matrices, self.fields) if self._field_aware else None
        options = parameters["projection"], of_fields, self._usual_pairs
        return AttentionJoiner(_network(parameters), *options)

    def pair_formula(self, arrays):
        """The attention network, the factor of rows, and the weights of field pairs."""
        found = {f"network_{n}": arrays[f"attention_{n}"] for n in AttentionNetwork._fields}
        usual = {} if self._usual_pairs is None else {"usual_pairs": np.asarray(self._usual_pairs)}
        of_fields = ("field_weights", "field_biases") if self._field_aware else ()
        return found | usual | {name: arrays[name] for name in of_fields}

    def pair_terms(self, parameters, group) -> tuple[Tensor, Tensor]:
        """Attention, and p . (v_i * v_j) x_i x_j of each pair times the factor of its row."""
        entries = look_up(parameters["embeddings"], group)
        n_features = len(parameters["embeddings"])
        # Taken into one side of each product, the factor of the row is in every score.
        scaled = in_proportion(entries.flatten(1), group, n_features, self._usual_pairs)
        scores = products_of_pairs(scaled.view_as(entries), entries, parameters["projection"])
        if self._field_aware:
            weights = of_field_pairs(parameters["field_weights"], self.fields, group)
            scores = scores * weights[:, :, None]
        return self.attention(parameters, group), scores

    def describe(self, parameters, X, one_hot) -> tuple[dict[str, float], str]:
        """How uneven the attention is."""
        spread = attention_spread(self, parameters, X, one_hot)
        return {"attention_spread": spread}, spread_in_words(spread)


def _network(parameters) -> AttentionNetwork:
    return AttentionNetwork(*(parameters[f"attention_{part}"] for part in AttentionNetwork._fields))


class AFMEstimator(LayerSettings, FieldPairSettings, BaseFactorizationMachine):
    """What AFMRegressor and AFMClassifier share."""

    hidden_layer_sizes = ()

    attention_dim: int = setting(
        16,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        'Width t of the attention network, the paper\'s "attention factor".',
        place=2,
    )
    attention_dropout: float = setting(
        0.0,
        [Interval(Real, 0, 1, closed="left")],
        "float in [0, 1)",
        "Share of the attention that training sets to 0, where it draws no pairs.",
        group=RARELY,
    )
    l2_attention: float = setting(
        1e-4,
        [Interval(Real, 0, None, closed="left")],
        "float",
        "The paper's lambda: penalty of the matrix W, beside the mean loss.",
    )
    attention_lr_multiplier: float | str = setting(
        1.0,
        [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        '"auto" or float',
        """Learning rate of the attention network, as a multiple of `learning_rate`. "auto" is the
        mean number of rows of a column, divided by 1000, but at least 0.1 and at most 1.""",
        group=TRAINING,
    )
    row_scaling: str | None = setting(
        "pairs",
        [StrOptions({"pairs"}), None],
        '"pairs" or None',
        """What multiplies the interactions of a row. "pairs" is its number of pairs over
        ``median_pairs_``: a row that lacks an entry has less interaction, as in an FM. None is 1,
        as in the paper. The two differ only if rows have different numbers of entries.""",
        group=RARELY,
    )
    field_aware: bool = setting(
        False,
        ["boolean"],
        "bool",
        """Whether each pair of fields has a weight, which multiplies the attention of its pairs,
        and a bias in their attention. They start at 1 and 0.""",
    )
    max_pairs: int | None = setting(
        None,
        [Interval(Integral, 2, None, closed="left"), None],
        "int or None",
        """Pairs that training draws, at each step, of a row that has more; the sum over all pairs
        is estimated from them. Prediction computes all. None: training does too.""",
        group=RARELY,
    )
    init: object = setting(
        None,
        [None, StrOptions({"fm"}), HasMethods(["fit", "predict"])],
        '"fm", estimator or None',
        """"fm" first fits the FM of the same size on the same rows. The AFM starts from it, with
        uniform attention and its optimiser's state. A fitted FM estimator is taken as it is, with
        the optimiser's state if it has ``warm_start=True``. Inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`. Not with hidden layers.""",
        group=RARELY,
    )

    @property
    def _uses_fields(self) -> bool:
        return self.field_aware

    _words = {
        "bfloat16": "float32 with the attention network's training products in bfloat16",
        "notes": r"""Notes
-----
With the non-zero features X of a row and the pairs R among them, the model is [1]_

.. math::
    y(x) = w_0 + \sum_i w_i x_i + \sum_{(i,j) \in C} c_{ij} x_i x_j
    + \frac{|R|}{\bar R} \, p^T \sum_{(i,j) \in R} a_{ij} (v_i \odot v_j) x_i x_j

where the attention :math:`a_{ij}` is the softmax over R of
:math:`h^T ReLU(W (v_i \odot v_j) x_i x_j + b)` (Eq. 5 and 6). The factor is that of `row_scaling`.
C are the crosses (``cross_columns_``), with weights c of their own. ``crosses=None`` leaves them
out. With ``l2_embedding=10`` as well, the attention explains all interactions.

With ``hidden_layer_sizes``, layers take the weighted sum times :math:`\bar R`, and p what they make
of it (section 6 of the paper). With ``field_aware``, pairs of the fields f and g have a weight
:math:`r_{fg}`, which multiplies :math:`a_{ij}`, and a bias, which is added in the softmax. With
``max_pairs``, training estimates the sum of long rows: the mean of their pairs is exact, and drawn
pairs estimate what attention changes. If it is even, there is no error; else the error falls as
1 / sqrt(``max_pairs``).

With ``l2_linear="auto"``, the linear part (w0, w, c) is fitted first, with strengths that are
learnt by the gradient of the held-out loss [2]_. With ``l2_embedding="auto"`` it is fitted together
with the embeddings of an FM, by variational inference [3]_. Training goes on from there.

Training minimises the sum over rows of weight times {loss}, plus ``l2_embedding`` times ||v||^2,
plus ``l2_linear`` times ||w||^2 if it is a number, all divided by the total weight, plus
``l2_attention`` times ||W||^2.

{units}

References
----------
.. [1] J. Xiao, H. Ye, X. He, H. Zhang, F. Wu and T.-S. Chua, "Attentional
   Factorization Machines: Learning the Weight of Feature Interactions via Attention
   Networks", IJCAI 2017.
.. [2] J. Larsen, L. K. Hansen, C. Svarer and M. Ohlsson, "Design and regularization of neural
   networks: the optimal use of a validation set", NNSP 1996.
.. [3] Y. J. Lim and Y. W. Teh, "Variational Bayesian approach to movie rating prediction", KDD Cup
   2007.""",
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> AFM:
        return AFM(
            self.embedding_dim,
            self.attention_dim,
            n_outputs,
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            median_pairs=median_pairs,
            scales_rows=self.row_scaling is not None,
            product_dtype=product_dtype,
            layers=self._layers("embedding_dim") if self._layer_sizes() else None,
            fields=fields,
            field_aware=self.field_aware,
            max_pairs=self.max_pairs,
        )


class AFMRegressor(RegressionTask, AFMEstimator):
    """Attentional factorization machine for regression.

    Models all pairwise interactions of a row's non-zero features through embeddings, and weighs
    each by a small attention network.

    {parameters}

    {attributes}

    See Also
    --------
    FMRegressor : The same without attention.
    AFMClassifier : The same model for classification.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, AFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class AFMClassifier(ClassificationTask, AFMEstimator):
    """Attentional factorization machine for classification.

    Models all pairwise interactions of a row's non-zero features through embeddings, and weighs
    each by a small attention network.

    {parameters}

    {attributes}

    See Also
    --------
    FMClassifier : The same without attention.
    AFMRegressor : The same model for regression.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, AFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """

    attention_lr_multiplier: float | str = "auto"
