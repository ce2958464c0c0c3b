"""What the four estimators share: checks at the door, fit and partial_fit, raw scores."""

import copy
import warnings

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from ._attributes import declared_model, model_of, parameters_of
from ._block_fitting import BlockFitting
from ._compat import CallbackSupportMixin, fit_context
from ._core import ranks
from ._core.batches.memory import torch_memory_errors
from ._core.models.model import Model
from ._data import checks, weights
from ._data.rows import Rows
from ._data.split import check_groups
from ._docstrings import documented
from ._documentation import DocumentationLink
from ._fit.agreement import refuse_other_fits, seeds_of_first
from ._fit.fit import fit_rows, pass_rows
from ._fit.notices import Notices, codes_notice
from ._fit.tasks import tasks_of_fit
from ._joined_scores import JoinedScores
from ._raw_scores import raw_scores
from ._settings import settings_of
from ._shared_settings import TrainingSettings
from ._stored_models import renamed

# What a fit sets beside attributes whose names end in "_".
_OWN = ("_progress", "_outputs", "_fitted_loss", "_parameter_names", "_target_names")


class BaseFactorizationMachine(
    BlockFitting, TrainingSettings, DocumentationLink, CallbackSupportMixin, BaseEstimator
):
    """Base of the estimators: a subclass gives a model, and has a task mixed in."""

    # What stands for the words in braces in docstrings.
    _words: dict = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "{parameters}" in (cls.__doc__ or ""):
            cls.__doc__ = documented(cls, cls()._make_model(1, 1.0))

    # Whether callbacks of scikit-learn are shown X and y.
    _shows_rows = True
    # Whether the model has parameters by field.
    _uses_fields = False

    def _make_model(
        self, n_outputs: int, median_pairs: float, fields=None, product_dtype=None
    ) -> Model:
        """The model of these settings.

        Parameters
        ----------
        n_outputs : int
        median_pairs : float
            ``median_pairs_``.
        fields : ndarray of shape (n_columns,) or None
            The number of each column's field, if the model uses fields; None in a docstring.
        product_dtype : torch.dtype or None
            Type of large matrix products in training. None: that of the parameters.
        """
        raise NotImplementedError

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. Sparse input stays sparse.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets or labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. A weight of 2 has the effect of giving the row twice, a weight of 0
            that of leaving it out. Other weights must lie within 1e-30 to 1e30. If their mean is
            below 1, the weights are relative: they are scaled to a mean of 1.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows for early stopping, instead of a part of X. In a
            :class:`~sklearn.pipeline.Pipeline`, ``transform_input=["X_val"]`` transforms
            them as it does X.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights. The validation loss multiplies them by `class_weight`, as the training
            loss does with `sample_weight`.
        groups : array-like of shape (n_samples,), default=None
            The group of each row, for a splitter as `validation_fraction`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the model cannot learn from the input, the training loss becomes infinite or NaN, the
            validation score is NaN in every epoch, a splitter (`validation_fraction`) gives no two
            parts, or the file named by `checkpoint` is not a checkpoint of this fit.
        MemoryError
            If there is not enough memory even for one row at a time.
        KeyboardInterrupt
            If Ctrl-C comes before the end of the first epoch. Later, Ctrl-C ends training with a
            warning.
        RankError
            If another rank of a data-parallel fit has failed or died.

        Notes
        -----
        A fit that raises an error leaves the estimator unfitted. If it continued the last fit
        (`warm_start`), it leaves the estimator as it was.

        If a process group of torch.distributed is initialised, all its ranks call ``fit``, each
        with rows of its own, and all end with the same estimator.
        """
        validation = X_val, y_val, sample_weight_val
        return self._take_over(*self._trained(X, y, sample_weight, *validation, groups=groups))

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from one more batch of a stream: one pass over its rows.

        The optimiser's state is kept from call to call. It is also kept from an earlier ``fit`` if
        `warm_start` is True. The unit of a column (see Notes of the class) is that of the first
        call that has the column. `averaging_decay`, `early_stopping` and `max_iter` have no
        effect here.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets or labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call may bring. The first call of a classifier needs them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. If the mean of the first call's weights is below 1, the weights of
            all calls are divided by it.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        fitted = self._working_copy()
        with ranks.together(), torch_memory_errors():
            notices = fitted._pass(X, y, classes, sample_weight)
        return self._take_over(fitted, notices)

    # What comes in

    def _continues(self) -> bool:
        """Whether a fit goes on from the fitted attributes; if not, they are deleted."""
        continued = bool(self.warm_start) and hasattr(self, "linear_weights_")
        if continued and self.checkpoint is not None:
            raise ValueError(
                f"checkpoint={self.checkpoint!r} cannot be used by a fit that goes on from the "
                "fitted attributes (warm_start=True). Fit a clone to go on from the file, or set "
                "checkpoint=None to go on from the attributes."
            )
        if not continued:
            self._forget()
        return continued

    @fit_context(prefer_skip_nested_validation=True)
    def _pass(self, X, y, classes, sample_weight) -> Notices:
        continued = hasattr(self, "linear_weights_")
        if continued:
            self._check_same_sizes()
        if is_classifier(self):
            if self.class_weight == "balanced":
                raise ValueError(
                    'class_weight="balanced" needs all of y, which partial_fit never sees; '
                    "give the weights as a dict."
                )
            if not continued and classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            known = self.classes_ if continued else classes
            if classes is not None and not np.array_equal(np.unique(classes), np.unique(known)):
                raise ValueError(f"classes={classes!r} are not those of the first call: {known!r}.")
        rows, _ = self._check_training_rows(X, y, sample_weight, classes, reset=not continued)
        known = self._progress if continued else None
        return pass_rows(self, rows, seeds_of_first(self._seeds()), known)

    def _trained(self, X, y, *others, groups=None, items=None) -> tuple:
        """A fitted working copy, and the warnings of the fit. `others` are as in ``fit``."""
        continued = self._continues()
        fitted = self._working_copy()
        with ranks.together(), torch_memory_errors():
            notices = fitted._fit(X, y, *others, groups, continued, items)
        return fitted, notices

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(
        self, X, y, sample_weight, X_val, y_val, sample_weight_val, groups, continued, items
    ) -> Notices:
        if continued:
            self._check_same_sizes()
        tasks = tasks_of_fit(self, *((X, y, sample_weight) if self._shows_rows else ()))
        given = self._has_validation_rows(X_val, y_val, sample_weight_val)
        rows, class_weights = self._check_training_rows(
            X, y, sample_weight, None, groups, reset=not continued, has_validation=given
        )
        validation = self._check_validation_rows(X_val, y_val, sample_weight_val, class_weights)
        known = self._progress if continued else None
        notices = [] if continued else codes_notice(self, rows.X)
        seeds = seeds_of_first(self._seeds())
        catalogue, rows, validation = self._in_catalogue(rows, validation, items)
        notices += fit_rows(self, rows, validation, seeds, known, catalogue, tasks)
        if tasks is not None:
            tasks.end()
        return notices

    def _in_catalogue(self, rows: Rows, validation: Rows | None, items) -> tuple:
        """What negatives are drawn from (None: the rows have their own), and the rows."""
        return None, rows, validation

    def _working_copy(self):
        """The estimator that a fit works on, its parameters plain Python numbers.

        If the fit ends early, this estimator stays as it was. A fit never changes a fitted
        attribute in place.
        """
        result = copy.copy(self)
        for name, value in self.get_params(deep=False).items():
            setattr(result, name, _plain(value))
        return result

    def _take_over(self, fitted, notices: Notices):
        """Set the fitted attributes of the working copy, and warn the caller of fit."""
        learnt = {name: vars(fitted)[name] for name in fitted._learnt()}
        self.__dict__ = vars(self) | learnt  # in one step, which nothing can interrupt
        for message, category in notices:
            warnings.warn(message, category, stacklevel=3)
        return self

    def _check_same_sizes(self):
        """Refuse to go on if fitted parameters have another size than the settings ask for."""
        fitted, model = model_of(self), declared_model(self)
        for parameter in model.parameters:
            for axis in set(parameter.axes) - {"column", "output"}:
                size, asked = getattr(fitted, axis), getattr(model, axis)
                if size != asked:
                    setting = f"{axis}={size}" if hasattr(self, axis) else "it back"
                    raise ValueError(
                        f"{axis}={asked}, but this estimator was fitted with {size}. A fit that "
                        "goes on from the fitted attributes cannot change it. Set "
                        f"{setting}, or fit a clone (sklearn.base.clone) from the start."
                    )

    def _forget(self):
        """Delete what an earlier fit has set."""
        for name in self._learnt():
            delattr(self, name)

    def _learnt(self) -> set[str]:
        """Names of everything that a fit sets."""
        return {
            name for name in vars(self) if name in _OWN or (name.endswith("_") and name[0] != "_")
        }

    def __setstate__(self, state):
        """Load a pickled model. If it is of an earlier release, add and rename what has changed."""
        defaults = {name: setting.default for name, setting in settings_of(type(self)).items()}
        super().__setstate__(defaults | renamed(state))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "linear_weights_")

    def _check_training_rows(
        self, X, y, sample_weight, classes, groups=None, *, reset, has_validation=False
    ):
        """The rows, and the weight of each class (None without)."""
        if reset:
            self._target_names = checks.target_names(y)
        X, y = checks.check_rows_and_target(
            self, X, y, reset=reset, y_numeric=not is_classifier(self)
        )
        weight = weights.check_weights(sample_weight, X)
        groups = check_groups(groups, self, X.shape[0], has_validation=has_validation)
        if not weight.all():  # a row of weight 0 brings no level, no class and no count
            counts = weight > 0
            X, y, weight = X[counts], y[counts], weight[counts]
            groups = None if groups is None else groups[counts]
        refuse_other_fits(self, X, y)
        if reset:
            self._outputs = self._learn_target(y, classes)
        target = self._encode_target(y)
        class_weights = self._class_weights(y, target, weight)
        of_objective = self._objective_weight(target, weight, class_weights)
        rows = Rows(X, y, target, weight, of_objective, groups)
        weights.check_weight_range(rows.weight)
        return rows if rows.weight.all() else rows.part(rows.weight > 0), class_weights

    def _has_validation_rows(self, X_val, y_val, sample_weight_val) -> bool:
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val is provided, but X_val and y_val are not.")
            return False
        if X_val is None or y_val is None:
            given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
            raise ValueError(f"{given} is provided, but {missing} was not provided.")
        if self.early_stopping is False:
            raise ValueError(
                "X_val and y_val are for early stopping, but early_stopping is False. "
                'Set it to True or "auto", or leave them out.'
            )
        return True

    def _check_validation_rows(self, X_val, y_val, sample_weight_val, class_weights) -> Rows | None:
        if not self._has_validation_rows(X_val, y_val, sample_weight_val):
            return None
        X_val, y_val = checks.check_rows_and_target(
            self, X_val, y_val, reset=False, y_numeric=not is_classifier(self)
        )
        weight, target = weights.check_weights(sample_weight_val, X_val), self._encode_target(y_val)
        objective_weight = self._objective_weight(target, weight, class_weights)
        if not objective_weight.any():
            raise ValueError(
                "All weights of the validation rows (sample_weight_val times class_weight) are "
                "zero. Give at least one row a positive weight."
            )
        return Rows(X_val, y_val, target, weight, objective_weight)

    def _seeds(self) -> np.random.SeedSequence:
        """Seeds of this fit. The global random generators are neither read nor changed."""
        if isinstance(self.random_state, np.random.RandomState):
            return np.random.SeedSequence(self.random_state.randint(0, 2**32, 4, dtype=np.uint32))
        return np.random.SeedSequence(self.random_state)

    # What goes out

    def _raw_scores(self, X) -> np.ndarray:
        """Raw scores (n_rows, n_outputs), in the unit of the target, as float64."""
        check_is_fitted(self)
        return raw_scores(self, checks.centered_rows(self, X))

    def _known_rows(self, X) -> sparse.csr_array:
        """Centred canonical rows of known entries, for `_joined_scores`."""
        model = model_of(self)
        arrays = parameters_of(self, model)
        return checks.check_rows(self, X, [arrays[name] for name in model.per_column])

    def _joined_scores(self, first: sparse.csr_array, second: sparse.csr_array) -> JoinedScores:
        """Raw scores of each row of `first` with each row of `second`."""
        return JoinedScores(self, first, second)


# A grid over the values of an array gives NumPy scalars. Small ones overflow, and none `is True`.
_PLAIN = {np.bool_: bool, np.integer: int, np.floating: float, np.str_: str}


def _plain(value):
    """A NumPy scalar as a Python number or string; other values as they are."""
    for kind, convert in _PLAIN.items():
        if isinstance(value, kind):
            return convert(value)
    return value
