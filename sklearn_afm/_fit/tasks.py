"""A fit and its epochs as tasks of scikit-learn's callbacks (`set_callbacks`, from 1.9)."""

from collections.abc import Callable

from .._compat import callbacks_of, start_callbacks
from .._core import ranks


class FitTasks:
    """Calls the hooks of the callbacks, at the begin and at the end of the fit and of each epoch.

    Parameters
    ----------
    estimator : estimator
        A working copy, which the hooks are shown.
    X, y, sample_weight : as given to ``fit``, or None
        The rows that the hooks are shown.
    """

    def __init__(self, estimator, X, y, sample_weight):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._shown = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = start_callbacks(estimator, estimator.max_iter)
        self._fit.call_on_fit_task_begin(**self._shown)
        self._epoch = None

    def begin_epoch(self) -> None:
        """Call the hooks of an epoch's begin."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._shown)

    def end_epoch(self, learnt: Callable[[], dict]) -> bool:
        """Call those of its end. `learnt` gives its fitted attributes, if a callback asks for them.

        Returns whether one of them ends training.
        """
        return self._epoch.call_on_fit_task_end(**self._shown, reconstruction_attributes=learnt)

    def end(self) -> None:
        """Call those of the fit's end, when the estimator is fitted."""
        self._fit.call_on_fit_task_end(**self._shown, reconstruction_attributes={})


def tasks_of_fit(estimator, X=None, y=None, sample_weight=None) -> FitTasks | None:
    """The tasks of a fit; None if no callbacks are set."""
    if not callbacks_of(estimator):
        return None
    ranks.refuse_group("A fit with set_callbacks", ", or give the parameter callbacks")
    return FitTasks(estimator, X, y, sample_weight)
