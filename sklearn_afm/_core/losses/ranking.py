"""Losses that compare the rows of a list: softmax, BPR and WARP.

The target has three columns: the grade of a row, how many rows it stands for, and 1 in the first
row of each list. A constant that is added to all raw scores of a list changes nothing.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .loss import Loss


class RankingLoss(Loss):
    """What the losses share."""

    compares_rows = True

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """0: no constant changes the loss."""
        return np.zeros(1)

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores themselves."""
        return raw


class SoftmaxLoss(RankingLoss):
    """Cross entropy between the gains 2^grade - 1 of a list and the softmax of its raw scores.

    Z. Cao et al., "Learning to rank: from pairwise approach to listwise approach", ICML 2007. A
    list counts as often as it has rows of a gain.
    """

    name = "softmax loss"

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """(n_rows, 1): the share of each row in the gain of its list, times - log its softmax."""
        raw, (grade, weight, _) = raw[:, 0], target.T
        number = _numbers(target)
        gain = torch.expm1(grade * np.log(2))
        counted, gained = (_sums(weight * part, number) for part in ((gain > 0).to(gain), gain))
        share = gain * (counted / torch.where(gained > 0, gained, 1.0))[number]
        largest = torch.full_like(counted, -torch.inf)
        largest = largest.scatter_reduce(0, number, raw.detach(), "amax")[number]
        log_sum = _sums(weight * (raw - largest).exp(), number).log()[number] + largest
        return (share * (log_sum - raw))[:, None]


class BPRLoss(RankingLoss):
    """- log sigmoid of the difference to rows of lower grade, in the mean over these.

    S. Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009.
    """

    name = "BPR loss"

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """(n_rows, 1): 0 for a row that none is below."""
        pairs = _pairs(target)
        difference = raw[pairs.upper, 0] - raw[pairs.lower, 0]
        total, of_rows = raw.new_zeros(2, len(raw))
        total = total.index_add(0, pairs.upper, pairs.weight)
        of_rows = of_rows.index_add(0, pairs.upper, pairs.weight * F.softplus(-difference))
        return (of_rows / torch.where(total > 0, total, 1.0))[:, None]


class WARPLoss(RankingLoss):
    """Hinge of the rows of lower grade that come within 1, weighed by 1 + 1/2 + ... + 1/rank.

    J. Weston, S. Bengio and N. Usunier, "WSABIE: scaling up to large vocabulary image annotation",
    IJCAI 2011. The rank is the number of such rows, and the hinge their mean.
    """

    name = "WARP loss"

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """(n_rows, 1): 0 for a row that is 1 above all rows of lower grade."""
        pairs = _pairs(target)
        hinge = F.relu(1 - (raw[pairs.upper, 0] - raw[pairs.lower, 0]))
        # A row counts in units of the one that it is compared with.
        number = pairs.weight / target[pairs.upper, 1]
        rank, of_rows = raw.new_zeros(2, len(raw))
        rank = rank.index_add(0, pairs.upper, number * (hinge > 0))
        of_rows = of_rows.index_add(0, pairs.upper, number * hinge)
        harmonic = torch.digamma(rank + 1) + np.euler_gamma
        return (of_rows * harmonic / torch.where(rank > 0, rank, 1.0))[:, None]


RANKING_LOSSES = {"bpr": BPRLoss, "softmax": SoftmaxLoss, "warp": WARPLoss}


def _numbers(target: Tensor) -> Tensor:
    """The number of each row's list."""
    return (target[:, -1] > 0).cumsum(0) - 1


def _sums(values: Tensor, number: Tensor) -> Tensor:
    """Sums by list."""
    return values.new_zeros(int(number[-1]) + 1).index_add(0, number, values)


class _Pairs(NamedTuple):
    upper: Tensor  # (n_pairs,) rows
    lower: Tensor  # (n_pairs,) rows of the same list and a lower grade
    weight: Tensor  # (n_pairs,) how many rows the lower one stands for


def _pairs(target: Tensor) -> _Pairs:
    """All pairs of rows of a list whose grades differ."""
    first = torch.nonzero(target[:, -1])[:, 0]
    length = torch.diff(first, append=first.new_tensor([len(target)]))
    number = _numbers(target)
    n_others = length[number]
    upper = torch.repeat_interleave(n_others)
    start = n_others.cumsum(0) - n_others
    others = torch.arange(len(upper), device=target.device) - start[upper]
    lower = first[number][upper] + others
    below = target[lower, 0] < target[upper, 0]
    lower = lower[below]
    return _Pairs(upper[below], lower, target[lower, 1])
