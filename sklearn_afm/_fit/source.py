"""The blocks that a user gives, read and checked one at a time."""

import numpy as np
from sklearn.base import is_classifier

from .._data import checks, weights
from .._data.kept import Block
from .._data.rows import Rows


class Source:
    """The blocks that a user gives.

    Parameters
    ----------
    estimator : estimator
        Its `n_features_in_` is set by the first block that has rows.
    blocks : sequence of (X, y) or (X, y, sample_weight)

    Attributes
    ----------
    class_weights : ndarray of shape (n_classes,) or None
        Weight of each class, once it is known.
    set_aside : (RowHash, uint64) or None
        Rows with keys up to this number are not for training.
    """

    def __init__(self, estimator, blocks):
        self.estimator, self._blocks = estimator, blocks
        self.class_weights = self.set_aside = None
        if not (hasattr(blocks, "__len__") and hasattr(blocks, "__getitem__")):
            raise TypeError(
                f"blocks must have a length and items, as a list has: blocks[i] is (X, y) or "
                f"(X, y, sample_weight). A {type(blocks).__name__} has not; an iterator can be "
                "passed once only, and a fit has many epochs."
            )
        if not len(blocks):
            raise ValueError("blocks is empty: there are no rows to learn from.")

    def __len__(self) -> int:
        return len(self._blocks)

    def read(self, number: int) -> Block | None:
        """The rows of a block that have a positive weight; None if it has none."""
        try:
            block = self._blocks[number]
        except MemoryError:
            raise
        except Exception as error:
            raise RuntimeError(
                f"Block {number} of {len(self)} could not be read "
                f"({type(error).__name__}: {error})."
            ) from error
        with self.naming(number):
            return self._checked(block)

    def naming(self, number: int) -> "_Naming":
        """A context whose errors name the block."""
        return _Naming(number, len(self))

    def rows(self, block: Block) -> Rows:
        """The rows with their targets encoded."""
        target = self.estimator._encode_target(block.y)
        return Rows(block.X, block.y, target, block.sample_weight, block.weight)

    def training_rows(self, number: int, n_rows: int) -> Rows:
        """The rows of a block that are to be learnt from, of which there were `n_rows`."""
        block = self.read(number)
        if block is not None and self.set_aside is not None:
            hash_of_rows, largest = self.set_aside
            block = block.part(hash_of_rows(block.X) > largest)
        found = 0 if block is None else len(block.y)
        if found != n_rows:
            raise ValueError(
                f"Block {number} of {len(self)} has {found} rows to learn from; it had {n_rows} "
                "when the rows were counted. blocks[i] must be the same rows each time."
            )
        with self.naming(number):
            return self.rows(block)

    def _checked(self, block) -> Block | None:
        if not (isinstance(block, (tuple, list)) and len(block) in (2, 3)):
            raise TypeError(
                "a block must be (X, y) or (X, y, sample_weight), and this one is a "
                f"{type(block).__name__}"
                + (f" of {len(block)}" if isinstance(block, (tuple, list)) else "")
            )
        X, y, sample_weight = (*block, None)[:3]
        if getattr(X, "shape", (1,))[0] == 0 and len(y) == 0:
            return None
        if sample_weight is not None and not np.any(sample_weight):
            return None
        estimator = self.estimator
        reset = not hasattr(estimator, "n_features_in_")
        if reset:
            estimator._target_names = checks.target_names(y)
        numeric = not is_classifier(estimator)
        X, y = checks.check_rows_and_target(estimator, X, y, reset=reset, y_numeric=numeric)
        given = weight = weights.check_weights(sample_weight, X)
        if self.class_weights is not None:
            target = estimator._encode_target(y)
            weight = estimator._objective_weight(target, given, self.class_weights)
        result = Block(X, y, given, weight)
        if weight.all():
            return result
        result = result.part(weight > 0)
        return result if len(result.y) else None


class _Naming:
    """Adds to errors which block they are about."""

    def __init__(self, number: int, n_blocks: int):
        self._title = f"Block {number} of {n_blocks}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, traceback) -> None:
        if isinstance(error, (ValueError, TypeError)):
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{self._title}: {error}") from error
