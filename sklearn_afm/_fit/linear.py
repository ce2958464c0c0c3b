"""The linear part of a fit: fields with learnt strengths, and crosses beside them."""

import copy
import dataclasses

import numpy as np
import torch

from .._attributes import crosses_of
from .._core import ranks
from .._data.fields import FieldsOfColumns
from .._data.prepare import in_units, targets_in_units
from .._data.rows import Rows
from .._data.split import held_out_weights
from .._linear.crosses import Crosses
from .._linear.factors import Factors
from .._linear.fit import (
    N_FOLDS,
    LinearPart,
    Problem,
    fit_linear_part,
    learn,
    start_of_factors,
)
from .setup import Setup

# Smallest share of the target's standard deviation that interactions are learnt in units of.
_SMALLEST_REST = 1e-3


def with_linear_part(setup: Setup, every: Rows | None, *, continues) -> Setup:
    """The setup of what the linear part leaves to learn.

    Parameters
    ----------
    setup : Setup
    every : Rows or None
        The rows to learn from, and those that were set aside of them. None: none were.
    continues : estimator or None
        The fitted estimator whose parameters the fit starts from. If the linear part is not learnt
        anew, its crosses stay.
    """
    part = None
    if learns_linear_part(setup.estimator, setup.loss):
        part = _fit_part(setup, every)
    if part is not None:
        return _beside(setup, part, rescales=continues is not setup.estimator)
    return with_crosses(setup, continues)


def with_crosses(setup: Setup, continues) -> Setup:
    """The setup of a fit beside the crosses of the estimator that it goes on from."""
    crosses = crosses_of(continues)
    if crosses is None:
        return setup
    return dataclasses.replace(setup, crosses=crosses, data=_with_offset(setup, crosses))


def learns_linear_part(estimator, loss) -> bool:
    """Whether a fit learns the strengths of linear weights."""
    return (
        estimator.l2_linear == "auto"
        and loss.derivatives is not None
        and not {"bias", "linear_weights"} & set(estimator.freeze)
    )


def _fit_part(setup: Setup, every: Rows | None) -> LinearPart | None:
    """The linear part, fitted on the rows to learn from; its strengths are learnt on all rows."""
    fields, prepared = setup.fields, setup.prepared
    problem = _problem(setup, prepared.X, prepared.target, prepared.rows.weight)
    all_rows = problem if every is None else _problem_of(setup, every)
    crosses = _pairs(setup.estimator.crosses, fields)
    with np.errstate(over="ignore", invalid="ignore"):
        held_out = held_out_weights(all_rows.X, all_rows.target, all_rows.weight, N_FOLDS)
        strengths = learn(all_rows, held_out, crosses)
        part = None
        if strengths is not None:
            part = fit_linear_part(problem, strengths, _start_of_factors(setup, problem))
    if part is None or (setup.loss.log_link and not _lowers_the_loss(part, problem)):
        return None
    if ranks.any_rank(not np.isfinite(part.raw).all()):
        raise ValueError(
            f"The training loss became infinite or NaN ({setup.sizes(prepared.X.data)}). Clip "
            "outliers in X, or give a number for l2_linear."
        )
    return part


def _lowers_the_loss(part: LinearPart, problem: Problem) -> bool:
    """Whether it is better than the bias to start from; False also if it is infinite or NaN.

    A loss of logarithms has no parabola that bounds it everywhere, so that descent may overshoot.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        loss = problem.loss(part.raw_scores(problem.X))
    return loss <= problem.loss(np.tile(problem.bias, (len(problem.weight), 1)))


def _problem(setup: Setup, X, target, weight) -> Problem:
    loss, target = setup.loss, target.astype(np.float64)
    bias = loss.start_bias(target, weight)
    number, group = setup.fields.number, setup.fields.group
    return Problem(
        X,
        target,
        weight,
        number,
        group,
        bias,
        loss.derivatives,
        loss.target_power,
        loss.dispersion,
    )


def _problem_of(setup: Setup, rows: Rows) -> Problem:
    """The problem of other rows, in the units of the model."""
    scaling = setup.prepared.units.scaling
    rows = rows.prepared(scaling.column_mean, setup.prepared.units.weight_unit)
    X, _ = in_units(rows.X, scaling, setup.array_dtype)
    target = targets_in_units(rows.target, scaling, setup.array_dtype, setup.loss.standardises)
    return _problem(setup, X, target, rows.weight)


def _start_of_factors(setup: Setup, problem: Problem) -> Factors | None:
    """Embeddings to start from, if their priors are learnt and the model can start from an FM.

    Several outputs have random signs for p, which stay until training by gradient.
    """
    estimator, fm, rng = setup.estimator, setup.model.fm, setup.start_rng
    if (
        estimator.l2_embedding != "auto"
        or fm is None
        or not setup.loss.smooth
        or {"embeddings", "projection"} & set(estimator.freeze)
    ):
        return None
    projection = next(p for p in fm.parameters if p.name == "projection")
    signs = projection.start(fm.shape(projection, problem.X.shape[1]), rng, np.float64)
    return start_of_factors(problem, signs, rng)


def with_all_rows(setup: Setup, rows: Rows, *, continues) -> Setup:
    """The setup with a linear part that is fitted on all rows, also those for early stopping.

    Embeddings that started from it get what these rows change, unless they come from `continues`.
    """
    before, problem = setup.linear, _problem_of(setup, rows)
    with np.errstate(over="ignore", invalid="ignore"):
        part = fit_linear_part(problem, before.strengths, copy.deepcopy(before.factors))
    if setup.loss.log_link and not _lowers_the_loss(part, problem):
        return setup
    shift = None
    if part.factors is not None and continues is None:
        shift = (part.factors.mean - before.factors.mean).T
    crosses = _as_given(part.crosses, setup.prepared.units.scaling)
    return dataclasses.replace(setup, linear=part, crosses=crosses, embedding_shift=shift)


def starts_from_factors(setup: Setup) -> bool:
    """Whether the linear part has embeddings to start from."""
    return setup.linear is not None and setup.linear.factors is not None


def _pairs(crosses, fields: FieldsOfColumns):
    """Pairs of fields that have crosses, by number."""
    if crosses is None or isinstance(crosses, str):
        return crosses
    number = dict(zip(fields.label.tolist(), fields.number.tolist()))
    pairs = []
    for pair in crosses:
        unknown = [label for label in pair if label not in number]
        if unknown or len(set(pair)) != 2:
            raise ValueError(
                f"crosses has {pair!r}. Each must be two different fields, out of "
                f"{list(number)[:20]}."
            )
        first, second = sorted(number[label] for label in pair)
        pairs.append((first, second))
    return sorted(set(pairs))


def _beside(setup: Setup, part: LinearPart, *, rescales: bool) -> Setup:
    """What is left to learn beside the linear part, in units of what it leaves to interactions."""
    rest, loss = 1.0, setup.loss
    prepared = setup.prepared
    if loss.standardises and rescales:
        rest = part.strengths.held_out_loss / prepared.target.shape[1]
        rest = (rest / loss.of_normal) ** (2 / loss.target_power)  # a variance
        if part.factors is not None:
            squares = (part.factors.scores(prepared.X) ** 2).mean(axis=1)
            weight = prepared.rows.weight
            total, of_all = ranks.sum_over_ranks(np.array([weight @ squares, weight.sum()]))
            rest = max(rest, total / of_all)
        rest = float(np.clip(np.sqrt(rest), _SMALLEST_REST, 1))
        scaling = prepared.units.scaling
        scaling = dataclasses.replace(scaling, target_scale=scaling.target_scale * rest)
        prepared = dataclasses.replace(
            prepared,
            units=dataclasses.replace(prepared.units, scaling=scaling),
            target=(prepared.target / rest).astype(prepared.target.dtype),
        )
        loss = loss.in_units_of(rest)
    part = dataclasses.replace(
        part,
        bias=part.bias / rest,
        weights=part.weights / rest,
        raw=part.raw / rest,
        crosses=part.crosses
        and dataclasses.replace(part.crosses, weights=part.crosses.weights / rest),
        factors=part.factors and part.factors.in_units_of(rest),
    )
    data = dataclasses.replace(
        setup.data,
        target=torch.from_numpy(prepared.target).to(setup.device),
        offset=torch.from_numpy(part.raw).to(setup.device, setup.dtype),
    )
    scaling = prepared.units.scaling
    return dataclasses.replace(
        setup,
        prepared=prepared,
        data=data,
        loss=loss,
        linear=part,
        crosses=_as_given(part.crosses, scaling),
    )


def _as_given(crosses: Crosses | None, scaling) -> Crosses | None:
    """Crosses that apply to X and y as given."""
    if crosses is None:
        return None
    weights = crosses.weights * scaling.target_scale
    weights = weights / scaling.column_scale[crosses.columns].prod(axis=1)[:, None]
    return Crosses(crosses.columns, weights)


def _with_offset(setup: Setup, crosses: Crosses):
    scores = crosses.scores(setup.prepared.rows.X) / setup.prepared.units.scaling.target_scale
    offset = torch.from_numpy(scores).to(setup.device, setup.dtype)
    return dataclasses.replace(setup.data, offset=offset)


def offset_of_rows(setup: Setup, X) -> np.ndarray | None:
    """What the linear part and crosses add to the raw scores of other rows, in the model's units.

    Parameters
    ----------
    X : csr_array
        Centred, in the unit of the user.
    """
    scaling, result = setup.prepared.units.scaling, None
    if setup.crosses is not None:
        result = setup.crosses.scores(X) / scaling.target_scale
    if setup.linear is not None:
        values = type(X)((scaling.scaled_values(X), X.indices, X.indptr), shape=X.shape)
        linear = setup.linear.bias + values @ setup.linear.weights
        result = linear if result is None else result + linear
    return result


def linear_bias(setup: Setup) -> np.ndarray | None:
    """What the linear part has of the bias, in the unit of y."""
    if setup.linear is None:
        return None
    return setup.linear.bias * setup.prepared.units.scaling.target_scale


def set_linear_part(setup: Setup, estimator) -> None:
    """Set the fitted attributes of strengths and crosses."""
    n_outputs = setup.model.n_outputs
    crosses, part = setup.crosses, setup.linear
    if crosses is None:
        crosses = Crosses(np.empty((0, 2), dtype=np.int64), np.empty((0, n_outputs)))
    weights = crosses.weights.T.astype(setup.array_dtype)
    estimator.cross_columns_ = crosses.columns
    estimator.cross_weights_ = weights if setup.several_outputs else weights[0]
    if part is not None:
        fields = setup.fields
        values, pairs = part.strengths.values, part.strengths.pairs
        estimator.l2_linear_ = values[fields.group]
        if part.factors is not None:
            estimator.l2_embedding_ = part.factors.strengths[fields.group]
        label = fields.label[np.unique(fields.number, return_index=True)[1]]
        estimator.crossed_fields_ = label[np.array(pairs, dtype=np.int64).reshape(-1, 2)]
        estimator.l2_crosses_ = values[len(values) - len(pairs) :]
