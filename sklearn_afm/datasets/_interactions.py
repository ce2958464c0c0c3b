"""make_interactions: generate one-hot rows in which known pairs of fields interact."""

import numbers
from itertools import combinations

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from ._one_hot import bunch, numbered_names, ones_at, slices


def make_interactions(
    n_samples=1000,
    n_fields=6,
    n_levels=4,
    n_pairs=2,
    *,
    noise=0.3,
    random_state=None,
    return_X_y=False,
):
    """Generate one-hot rows whose target is a sum of interactions of some pairs of fields.

    The levels of each field are uniform and independent. `n_pairs` pairs of fields are drawn at
    random. Each of them has a normally distributed effect for each pair of levels. These effects
    have variance 1 and no main effects: their mean over each level is 0. The target is the sum of
    the effects, plus normal noise. A model without interactions cannot learn anything from these
    rows. A model of interactions should find the pairs.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_fields : int, default=6
        Number of fields, at least 2.
    n_levels : int, default=4
        Number of levels of each field, at least 2.
    n_pairs : int, default=2
        Number of pairs of fields that interact. Pairs can have a field in common.
    noise : float, default=0.3
        Standard deviation of the noise.
    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.
    return_X_y : bool, default=False
        If True, return only ``(data, target)``.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : csr_array of shape (n_samples, n_fields * n_levels), float32
            One-hot rows.
        target : ndarray of shape (n_samples,), float64
            Sum of the effects and the noise. Its expected mean is 0, and its expected variance is
            ``n_pairs + noise ** 2``.
        fields : dict of str to slice
            Columns of the fields "f0", "f1", ..., in the form that the parameter `fields` of
            :mod:`sklearn_afm.inspection` takes.
        feature_names : ndarray of shape (n_fields * n_levels,)
            Names of the columns, "field=level". Levels are numbered from 0.
        pairs : list of (str, str)
            The pairs of fields that interact.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number, if it is too small, or if there are fewer than `n_pairs`
        pairs of fields.

    Examples
    --------
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.datasets import make_interactions
    >>> from sklearn_afm.inspection import pair_importance
    >>> made = make_interactions(n_samples=2000, n_pairs=1, random_state=0)
    >>> model = AFMRegressor(random_state=0).fit(made.data, made.target)
    >>> found = pair_importance(model, made.data, fields=made.fields)
    >>> found.pair_names[0] == made.pairs[0]
    True
    """
    check_scalar(n_samples, "n_samples", numbers.Integral, min_val=1)
    check_scalar(n_fields, "n_fields", numbers.Integral, min_val=2)
    check_scalar(n_levels, "n_levels", numbers.Integral, min_val=2)
    names = [f"f{number}" for number in range(n_fields)]
    pairs = list(combinations(range(n_fields), 2))
    check_scalar(n_pairs, "n_pairs", numbers.Integral, min_val=0, max_val=len(pairs))
    check_scalar(noise, "noise", numbers.Real, min_val=0)
    rng = check_random_state(random_state)

    levels = rng.randint(n_levels, size=(n_samples, n_fields))
    chosen = [pairs[number] for number in sorted(rng.permutation(len(pairs))[:n_pairs])]
    target = noise * rng.normal(size=n_samples)
    for first, second in chosen:
        target += _effects(n_levels, rng)[levels[:, first], levels[:, second]]
    fields = slices(dict.fromkeys(names, n_levels))
    return bunch(
        ones_at(levels + n_levels * np.arange(n_fields), n_fields * n_levels),
        target,
        fields,
        numbered_names(fields),
        return_X_y,
        pairs=[(names[first], names[second]) for first, second in chosen],
    )


def _effects(n_levels, rng):
    """Return an effect for each pair of levels: mean 0 per level of each field, variance 1."""
    table = rng.normal(size=(n_levels, n_levels))
    table -= table.mean(axis=0)
    table -= table.mean(axis=1, keepdims=True)
    return table / table.std()
