"""The factorization machine of higher order: triples and more, by the ANOVA kernel."""

from dataclasses import replace
from numbers import Integral, Real

from torch import Tensor
from torch.nn import functional as F

from .._base import BaseFactorizationMachine
from .._compat import Interval
from .._core.batches.columns import look_up
from .._core.models.layers import dropout
from .._core.models.model import Parameter, normal_in_type, zeros
from .._core.models.pooled import EMBEDDING_STD
from .._fm import FM
from .._settings import RARELY, setting
from .._tasks import ClassificationTask, RegressionTask
from ._notes import notes


class HOFM(FM):
    """An FM, and sums over all triples and more, each in time linear in the row's length.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    dropout : float
    order : int
        Members of the largest interaction, 2 or more.
    shared : bool
        All orders share the embeddings. With one output, p is 1 for pairs in either case,
        and so it is for the other orders if they have embeddings of their own.
    """

    def __init__(self, embedding_dim, n_outputs, dropout=0.0, order=2, shared=False):
        super().__init__(embedding_dim, n_outputs, dropout)
        self.order, self._shared = order, shared
        self.renews_factors = shared and order > 2
        if order > 2:
            self.pair_terms = None
        if order > 2 and shared and n_outputs == 1:
            # Shared embeddings have no unit that brings products of two and three to the target's.
            self.parameters = self._with_units_in_projection()
        for degree in range(3, order + 1):
            self.parameters += self._own(degree, carries_unit=n_outputs == 1 and not shared)

    def _with_units_in_projection(self) -> tuple[Parameter, ...]:
        of_pairs = {"embeddings": 0.0, "projection": 1.0}
        return tuple(
            replace(p, fixed=False, target_power=of_pairs[p.name]) if p.name in of_pairs else p
            for p in self.parameters
        )

    def _own(self, degree: int, carries_unit: bool) -> tuple[Parameter, ...]:
        """The parameters of the interactions of this many members."""
        table = Parameter(
            f"embeddings_{degree}",
            ("column", "embedding_dim"),
            f"Embeddings of the interactions of {degree}.",
            # Products of more members are as large as those of two.
            start=normal_in_type(EMBEDDING_STD ** (2 / degree)),
            strength="l2_higher_orders",
            pairwise=True,
            target_power=1 / degree if carries_unit else 0,
        )
        projection = Parameter(
            f"projection_{degree}",
            ("output", "embedding_dim"),
            f"Prediction weights p of the interactions of {degree}.",
            start=zeros if self._shared else self._start_projection,
            fixed=carries_unit,
            target_power=0 if carries_unit else 1,
        )
        return (projection,) if self._shared else (table, projection)

    def row_cost(self, width: int) -> int:
        """Floats in memory per row: each order t has t products and sums of its entries."""
        return 2 * self.order**2 * width * self.embedding_dim

    def interactions(self, parameters, group, generator=None) -> Tensor:
        """Those of the FM, and those of each higher order: (n_rows, n_outputs)."""
        result = super().interactions(parameters, group, generator)
        for degree in range(3, self.order + 1):
            name = "embeddings" if self._shared else f"embeddings_{degree}"
            kernel = anova_kernel(look_up(parameters[name], group), degree)
            if generator is not None and self.dropout:
                kernel = dropout(kernel, self.dropout, generator)
            result = result + kernel @ parameters[f"projection_{degree}"].T
        return result


def anova_kernel(entries: Tensor, degree: int) -> Tensor:
    """Sum over all sets of `degree` entries of a row of their product: (n_rows, k).

    With a_jt the sum over sets of t of the first j entries, a_jt = a_(j-1)t + e_j a_(j-1)(t-1)
    (Algorithm 1). `entries` is (n_rows, width, k). Fewer entries than the degree give 0.
    """
    terms = entries
    for _ in range(1, degree):
        before = F.pad(terms.cumsum(1)[:, :-1], (0, 0, 1, 0))
        terms = entries * before
    return terms.sum(1)


class HOFMEstimator(BaseFactorizationMachine):
    """What HOFMRegressor and HOFMClassifier share."""

    order: int = setting(
        3,
        [Interval(Integral, 2, 10, closed="both")],
        "int",
        "Members of the largest interactions, 2 to 10. With 2 the model is an FM.",
    )
    shared_embeddings: bool = setting(
        False,
        ["boolean"],
        "bool",
        "Whether all orders share the embeddings.",
        group=RARELY,
    )
    l2_higher_orders: float = setting(
        1.0,
        [Interval(Real, 0, None, closed="left")],
        "float",
        """Prior on each column's embeddings of orders above 2, as `l2_embedding`. Products of three
        small numbers bear less of it than products of two.""",
    )
    _words = {
        "bfloat16": "float32 here",
        "notes": notes(
            r"""\sum_{t=2}^m p_t^T A^t, \quad
    A^t = \sum_{i_1 > \ldots > i_t} v_{i_1} \odot \ldots \odot v_{i_t} \, x_{i_1} \ldots x_{i_t}""",
            """A is the ANOVA kernel, for each of the k factors, and m is `order` [1]_. Each
order has embeddings of its own (``embeddings_``, ``embeddings_3_``, ...), or all have
``embeddings_`` (``shared_embeddings``). Time is linear in the number of the row's non-zeros.
A row with fewer entries than t has no interaction of t. The embeddings of higher orders start
larger than those of pairs, such that products are of one size.

With one output, p is 1 for embeddings of their own. With shared ones p is learnt, and starts
at 0 for orders above 2, so that training starts from an FM. The paper's shared model has p =
1. The authors' code fits by coordinate descent. The penalty has ``l2_higher_orders`` for the
tables of orders above 2.""",
            """.. [1] M. Blondel, A. Fujino, N. Ueda and M. Ishihata, "Higher-Order Factorization
   Machines", NIPS 2016.""",
            starts_from_fm=True,
            has_layers=False,
        ),
    }

    def _make_model(self, n_outputs, median_pairs, fields=None, product_dtype=None) -> HOFM:
        return HOFM(self.embedding_dim, n_outputs, self.dropout, self.order, self.shared_embeddings)


class HOFMRegressor(RegressionTask, HOFMEstimator):
    """Factorization machine of higher order, for regression.

    Models all interactions of two, three and more of a row's non-zero features through
    embeddings.

    {parameters}

    {attributes}

    See Also
    --------
    HOFMClassifier : The same model for classification.
    sklearn_afm.FMRegressor : The same with pairs alone.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import HOFMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, HOFMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class HOFMClassifier(ClassificationTask, HOFMEstimator):
    """Factorization machine of higher order, for classification.

    Models all interactions of two, three and more of a row's non-zero features through
    embeddings.

    {parameters}

    {attributes}

    See Also
    --------
    HOFMRegressor : The same model for regression.
    sklearn_afm.FMRegressor : The same with pairs alone.

    {notes}

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm.baselines import HOFMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, HOFMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """
