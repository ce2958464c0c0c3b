"""The estimators on Dask collections."""

import distributed
import numpy as np
from dask import compute, is_dask_collection
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from .._afm import AFMClassifier, AFMRegressor
from .._compat import HasMethods, callbacks_of
from .._data.split import refuse_splitter
from .._fm import FMClassifier, FMRegressor
from .._settings import RARELY, HasSettings, setting
from ._collections import map_partitions, refuse_local
from ._training import train


class OnDask(HasSettings):
    """What the estimators on Dask collections share; it goes before the estimator it extends."""

    client: object = setting(
        None,
        [None, HasMethods(["submit", "gather"])],
        "distributed.Client or None",
        """The cluster to train on. None: that of the client that was made last. It is not stored
        with the estimator.""",
        group=RARELY,
    )

    _words = {
        "on_dask": """``fit`` takes Dask arrays, whose blocks may be NumPy arrays or scipy's sparse
    matrices, or DataFrames of numbers (:class:`DaskFieldEncoder` encodes others). Each worker
    that holds partitions trains on their rows, as a rank of a data-parallel fit does. Predictions
    of Dask collections are lazy, those of rows in memory are as without Dask. ``partial_fit`` and
    ``fit_blocks`` know nothing of Dask."""
    }

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the model on the workers that hold the rows.

        The partitions are computed and kept on the workers during the fit, where their rows are
        copied into one array per worker.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Training rows. Blocks of an array may be sparse.
        y : dask.array.Array or dask.dataframe.Series of shape (n_samples,) or \
(n_samples, n_outputs)
            Targets or labels, in partitions of the same rows.
        sample_weight : dask.array.Array or dask.dataframe.Series, default=None
            Weight of each row, in partitions of the same rows.
        X_val : like X, default=None
            Rows for early stopping, in at least as many partitions as there are workers.
        y_val : like y, default=None
            Their targets.
        sample_weight_val : like sample_weight, default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If X, y or weights are no Dask collections.
        ValueError
            As in ``fit`` of the estimator without Dask; if partitions do not fit one another; or
            if several workers are threads of one process.
        RankError
            If a worker is lost in the fit.
        KeyboardInterrupt
            If Ctrl-C comes during the fit. The workers end after their epoch, and nothing is
            learnt.
        """
        refuse_local(
            X=X, y=y, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
            sample_weight_val=sample_weight_val,
        )  # fmt: skip
        if callbacks_of(self):
            raise ValueError(
                "Callbacks of set_callbacks do not reach the workers of a Dask cluster. Remove "
                "them (set_callbacks()), or give the parameter callbacks."
            )
        refuse_splitter(self.validation_fraction, "the rows are on several workers")
        given = self._has_validation_rows(X_val, y_val, sample_weight_val)
        rows = [one for one in (X, y, sample_weight) if one is not None]
        validation = [one for one in (X_val, y_val, sample_weight_val) if one is not None]
        self._continues()  # if not, nothing learnt goes to the workers
        local = self.to_local()
        client = self.client or distributed.default_client()
        return self._take_over(*train(client, local, rows, validation if given else None))

    def score(self, X, y, sample_weight=None):
        """R^2 of the predictions, or their accuracy if this is a classifier.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict.
        y : dask.array.Array or dask.dataframe.Series of shape (n_samples,) or \
(n_samples, n_outputs)
            Their targets or labels.
        sample_weight : dask.array.Array or dask.dataframe.Series, default=None
            Their weights.

        Returns
        -------
        score : float
        """
        # One by one: Dask cannot optimise arrays and frames together.
        y, predicted, weight = (compute(one)[0] for one in (y, self.predict(X), sample_weight))
        return self._metric(y, predicted, sample_weight=weight)

    def to_local(self):
        """The same estimator without Dask, fitted if this one is.

        Returns
        -------
        estimator : object
            Of the class of the same name without Dask.
        """
        parameters = self.get_params(deep=False)
        del parameters["client"]
        local = self._local(**parameters)
        vars(local).update({name: vars(self)[name] for name in self._learnt()})
        return local

    def __getstate__(self):
        return super().__getstate__() | {"client": None}

    def __sklearn_clone__(self):
        client, local = self.client, clone(self.to_local())
        return type(self)(**local.get_params(deep=False), client=client)

    def _predicted(self, method: str, X):
        """Predictions: of a Dask collection lazy, a block for each partition."""
        if not is_dask_collection(X):
            return getattr(super(), method)(X)
        check_is_fitted(self)
        refuse_local(X=X)
        local = self.to_local()
        nameless = self.to_local()
        vars(nameless).pop("feature_names_in_", None)
        one_row = sparse.csr_array((1, self.n_features_in_))
        meta = getattr(nameless, method)(one_row)[:0]
        return map_partitions(_Predict(method), local, X, meta)


class _Predict:
    """Predictions of a partition, which may have no rows."""

    def __init__(self, method: str):
        self.method = method

    def __call__(self, estimator, X, meta) -> np.ndarray:
        return getattr(estimator, self.method)(X) if X.shape[0] else meta


class _Regressor(OnDask):
    """What the regressors have of it."""

    _metric = staticmethod(r2_score)

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict. Rows in memory are predicted at once.

        Returns
        -------
        y : dask.array.Array of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the training target.
        """
        return self._predicted("predict", X)


class _Classifier(OnDask):
    """What the classifiers have of it."""

    _metric = staticmethod(accuracy_score)

    def predict(self, X):
        """Predict the most probable class of each row.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict. Rows in memory are predicted at once.

        Returns
        -------
        y : dask.array.Array of shape (n_samples,)
            Predicted labels.
        """
        return self._predicted("predict", X)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict. Rows in memory are predicted at once.

        Returns
        -------
        probabilities : dask.array.Array of shape (n_samples, n_classes)
            Columns in the order of `classes_`; each row sums to 1.
        """
        return self._predicted("predict_proba", X)

    def predict_log_proba(self, X):
        """Log-probability of each class, finite also where a probability rounds to 0.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict. Rows in memory are predicted at once.

        Returns
        -------
        log_probabilities : dask.array.Array of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return self._predicted("predict_log_proba", X)

    def decision_function(self, X):
        """Logits of each row.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows to predict. Rows in memory are predicted at once.

        Returns
        -------
        logits : dask.array.Array of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the logit of `classes_[1]`.
        """
        return self._predicted("decision_function", X)


class DaskAFMRegressor(_Regressor, AFMRegressor):
    """Attentional factorization machine for regression, on a Dask cluster.

    {on_dask}

    {parameters}

    {attributes}

    See Also
    --------
    sklearn_afm.AFMRegressor : The same model on rows in memory, which ``to_local`` gives.
    DaskFieldEncoder : Makes rows of Dask DataFrames.

    Examples
    --------
    ::

        with distributed.Client(cluster) as client:
            model = DaskAFMRegressor(client=client).fit(X, y)
            predictions = model.predict(X_new).compute()
        joblib.dump(model.to_local(), "model.joblib")
    """

    _local = AFMRegressor


class DaskAFMClassifier(_Classifier, AFMClassifier):
    """Attentional factorization machine for classification, on a Dask cluster.

    {on_dask}

    {parameters}

    {attributes}

    See Also
    --------
    sklearn_afm.AFMClassifier : The same model on rows in memory, which ``to_local`` gives.
    DaskFieldEncoder : Makes rows of Dask DataFrames.

    Examples
    --------
    ::

        with distributed.Client(cluster) as client:
            model = DaskAFMClassifier(client=client).fit(X, y)
            probabilities = model.predict_proba(X_new).compute()
        joblib.dump(model.to_local(), "model.joblib")
    """

    _local = AFMClassifier


class DaskFMRegressor(_Regressor, FMRegressor):
    """Factorization machine for regression, on a Dask cluster.

    {on_dask}

    {parameters}

    {attributes}

    See Also
    --------
    sklearn_afm.FMRegressor : The same model on rows in memory, which ``to_local`` gives.
    DaskFieldEncoder : Makes rows of Dask DataFrames.

    Examples
    --------
    ::

        with distributed.Client(cluster) as client:
            model = DaskFMRegressor(client=client).fit(X, y)
            predictions = model.predict(X_new).compute()
        joblib.dump(model.to_local(), "model.joblib")
    """

    _local = FMRegressor


class DaskFMClassifier(_Classifier, FMClassifier):
    """Factorization machine for classification, on a Dask cluster.

    {on_dask}

    {parameters}

    {attributes}

    See Also
    --------
    sklearn_afm.FMClassifier : The same model on rows in memory, which ``to_local`` gives.
    DaskFieldEncoder : Makes rows of Dask DataFrames.

    Examples
    --------
    ::

        with distributed.Client(cluster) as client:
            model = DaskFMClassifier(client=client).fit(X, y)
            probabilities = model.predict_proba(X_new).compute()
        joblib.dump(model.to_local(), "model.joblib")
    """

    _local = FMClassifier
