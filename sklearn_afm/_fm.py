"""FMRegressor and FMClassifier: the plain factorization machine times the two tasks."""

from ._base import BaseFactorizationMachine
from ._compat import HasMethods, StrOptions
from ._core.pooling import SumPooling
from ._tasks import ClassificationTask, RegressionTask


class _SumModel(BaseFactorizationMachine):
    """The model part of FM."""

    _parameter_constraints: dict = {
        **BaseFactorizationMachine._parameter_constraints,
        "init": [None, HasMethods(["fit", "predict"])],
    }

    def __init__(
        self,
        embedding_dim=16,
        *,
        dropout=0.0,
        l2_embedding=20.0,
        l2_linear=0.5,
        optimizer="adagrad",
        learning_rate="auto",
        batch_size="auto",
        max_iter=100,
        init=None,
        freeze=(),
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        scoring="loss",
        weight_averaging=0.8,
        warm_start=False,
        checkpoint=None,
        random_state=None,
        verbose=0,
        callbacks=None,
        precision="auto",
        device="auto",
    ):
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.l2_embedding = l2_embedding
        self.l2_linear = l2_linear
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.init = init
        self.freeze = freeze
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.scoring = scoring
        self.weight_averaging = weight_averaging
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks
        self.precision = precision
        self.device = device

    def _make_pooling(self, embedding_dim, product_dtype):
        return SumPooling(embedding_dim)

    def _start_own_parameters(self, rng):
        return {}

    def _start_projection_size(self, median_pairs):
        return 1.0

    def _has_fixed_projection(self, n_outputs):
        # Several outputs need a p each; with one, p = 1 is the FM (Eq. 3).
        return n_outputs == 1


class FMRegressor(RegressionTask, _SumModel):
    r"""Factorization machine for regression.

    Models all pairwise interactions of a row's non-zero features through embeddings.

    Parameters
    ----------
    embedding_dim : int, default=16
        Length k of each column's embedding.
    dropout : float in [0, 1), default=0.0
        Share of the pooled k-vector of each row that training sets to 0.
    l2_embedding : float, default=20.0
        Prior on each column's embedding, in units of observations: a level seen less
        often than this is shrunk hard. It is multiplied by m / 20 where rows have more than 20
        non-zeros in the median, m, since their pairs grow as the square of m.
    l2_linear : float, default=0.5
        Prior on each column's linear weight, in units of observations, as ``alpha`` of
        :class:`~sklearn.linear_model.Ridge`.
    optimizer : {"adagrad", "adam", "sgd"}, default="adagrad"
        Each changes only the columns that a batch holds; "adam" is therefore the lazy
        Adam, in which a column's moments rest while it is away.
    learning_rate : "auto" or float, default="auto"
        "auto" is 0.8 / sqrt(embedding_dim), or 0.04 / sqrt(embedding_dim) for "adam",
        times 10 / m where rows have more than 10 non-zeros in the mean, m.
    batch_size : "auto" or int, default="auto"
        Rows a step. "auto" is a power of two near n_samples / 32, between 64 and 512.
    max_iter : int, default=100
        Epochs at most.
    init : estimator or None, default=None
        A fitted FM estimator to start from (inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`).
    freeze : tuple of str, default=()
        Parts that training leaves as they start: any of "bias", "linear_weights",
        "embeddings", "projection".
    early_stopping : "auto" or bool, default="auto"
        Whether to stop when the validation score no longer rises, and to keep the
        parameters of the best epoch. "auto" does so for more than 1,500 rows, or when
        `X_val` is given.
    validation_fraction : float, int or None, default=0.1
        Share or number of rows set aside for early stopping, where `X_val` is not given;
        None scores on the training rows.
    n_iter_no_change : int, default=10
        Epochs without a better score that end training.
    tol : float, default=1e-7
        Rise of the score that counts as better.
    scoring : "loss", str, callable or None, default="loss"
        Score for early stopping: the validation loss, a scorer's name, a scorer, or None
        for ``score``.
    weight_averaging : float in [0, 1), default=0.8
        Decay of the running average of the parameters over epochs; the average is what
        is validated and kept. 0 keeps the parameters themselves.
    warm_start : bool, default=False
        Whether another ``fit`` goes on from the last one, with the optimiser's state.
    checkpoint : str, path-like or None, default=None
        A file (.npz) that ``fit`` writes after each epoch, and from which a fit with the same
        parameters and data goes on, to the result of one that never stopped; `max_iter` may
        be another, and `callbacks` see only the new epochs. A fit that ends removes it. Two
        fits must not share a file, as the candidates of a grid search would.
    random_state : int, RandomState instance or None, default=None
        Start values, order of rows, dropout and the validation rows. The same int gives
        the same result, bit for bit, at the same number of threads.
    verbose : int, default=0
        1 prints a line an epoch; 2 shows a progress bar too, if tqdm is installed.
    callbacks : list of callables or None, default=None
        Each is called with an epoch's record of ``history_``; one that returns True ends training.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        "auto" is float32 where it holds the values of X exactly, as it does 0 and 1, and
        float64 elsewhere. "bfloat16" is float32 here: only AFM has products that gain.
    device : str, default="auto"
        "cpu", "cuda", ...; "auto" is "cuda" where there is one. A model fitted on a device
        predicts on the CPU where that device is missing.

    Attributes
    ----------
    bias_ : ndarray of shape () or (n_outputs,)
        Global bias w0.
    linear_weights_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Linear weights w.
    embeddings_ : ndarray of shape (n_features, embedding_dim)
        Embeddings v; 0 for columns without a training row.
    projection_ : ndarray of shape (embedding_dim,) or (n_outputs, embedding_dim)
        Prediction weights p: 1, and learnt where there are several outputs.
    column_mean_ : ndarray of shape (n_features,) or None
        What is subtracted from each column of X before anything else: the mean of a column that
        no training row has at 0 and whose mean is further from 0 than its standard deviation, 0
        for others; None if no column is such, as in one-hot rows.
    n_iter_ : int
        Epochs trained.
    best_iter_ : int
        Epoch whose parameters were kept.
    history_ : list of dict
        A record an epoch: epoch, train_loss, validation_loss, validation_score (with a
        `scoring` of its own), seconds, rows_per_second.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has names.

    See Also
    --------
    AFMRegressor : Weighs the interactions by an attention network.
    FMClassifier : The same model for classification.

    Notes
    -----
    With the non-zero features X of a row, the model is [1]_

    .. math::
        y(x) = w_0 + \sum_i w_i x_i + \sum_{i > j} v_i^T v_j x_i x_j

    computed in time linear in the row's non-zeros.

    Training minimises the sum over rows of weight times squared error, plus
    ``l2_embedding`` times ||v||^2 plus ``l2_linear`` times ||w||^2, all over the total weight.

    A column far from 0, such as a year, is centred first (``column_mean_``); x is what is left.
    While the model learns, columns are divided by the root mean square of their non-zero
    values, and targets are standardised; the fitted attributes apply to X and y as given. 0 and
    1 stay as they are.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import FMRegressor
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FMRegressor(random_state=0)).fit(X, y)
    >>> bool(model.predict([["red", "round"]])[0] > 1)
    True
    """


class FMClassifier(ClassificationTask, _SumModel):
    r"""Factorization machine for classification.

    Models all pairwise interactions of a row's non-zero features through embeddings.

    Parameters
    ----------
    embedding_dim : int, default=16
        Length k of each column's embedding.
    dropout : float in [0, 1), default=0.0
        Share of the pooled k-vector of each row that training sets to 0.
    l2_embedding : float, default=10.0
        Prior on each column's embedding, in units of observations: a level seen less
        often than this is shrunk hard. It is multiplied by m / 20 where rows have more than 20
        non-zeros in the median, m, since their pairs grow as the square of m.
    l2_linear : float, default=0.5
        Prior on each column's linear weight, in units of observations, as ``alpha`` of
        :class:`~sklearn.linear_model.Ridge`.
    optimizer : {"adagrad", "adam", "sgd"}, default="adagrad"
        Each changes only the columns that a batch holds; "adam" is therefore the lazy
        Adam, in which a column's moments rest while it is away.
    learning_rate : "auto" or float, default="auto"
        "auto" is 0.8 / sqrt(embedding_dim), or 0.04 / sqrt(embedding_dim) for "adam",
        times 10 / m where rows have more than 10 non-zeros in the mean, m.
    batch_size : "auto" or int, default="auto"
        Rows a step. "auto" is a power of two near n_samples / 32, between 64 and 512.
    max_iter : int, default=100
        Epochs at most.
    init : estimator or None, default=None
        A fitted FM estimator to start from (inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`).
    freeze : tuple of str, default=()
        Parts that training leaves as they start: any of "bias", "linear_weights",
        "embeddings", "projection".
    early_stopping : "auto" or bool, default="auto"
        Whether to stop when the validation score no longer rises, and to keep the
        parameters of the best epoch. "auto" does so for more than 1,500 rows, or when
        `X_val` is given.
    validation_fraction : float, int or None, default=0.1
        Share or number of rows set aside for early stopping, where `X_val` is not given;
        None scores on the training rows.
    n_iter_no_change : int, default=10
        Epochs without a better score that end training.
    tol : float, default=1e-7
        Rise of the score that counts as better.
    scoring : "loss", str, callable or None, default="loss"
        Score for early stopping: the validation loss, a scorer's name, a scorer, or None
        for ``score``.
    weight_averaging : float in [0, 1), default=0.8
        Decay of the running average of the parameters over epochs; the average is what
        is validated and kept. 0 keeps the parameters themselves.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; "balanced" makes them equally heavy. They count in the validation
        loss too, but not in another `scoring`.
    warm_start : bool, default=False
        Whether another ``fit`` goes on from the last one, with the optimiser's state.
    checkpoint : str, path-like or None, default=None
        A file (.npz) that ``fit`` writes after each epoch, and from which a fit with the same
        parameters and data goes on, to the result of one that never stopped; `max_iter` may
        be another, and `callbacks` see only the new epochs. A fit that ends removes it. Two
        fits must not share a file, as the candidates of a grid search would.
    random_state : int, RandomState instance or None, default=None
        Start values, order of rows, dropout and the validation rows. The same int gives
        the same result, bit for bit, at the same number of threads.
    verbose : int, default=0
        1 prints a line an epoch; 2 shows a progress bar too, if tqdm is installed.
    callbacks : list of callables or None, default=None
        Each is called with an epoch's record of ``history_``; one that returns True ends training.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        "auto" is float32 where it holds the values of X exactly, as it does 0 and 1, and
        float64 elsewhere. "bfloat16" is float32 here: only AFM has products that gain.
    device : str, default="auto"
        "cpu", "cuda", ...; "auto" is "cuda" where there is one. A model fitted on a device
        predicts on the CPU where that device is missing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    bias_ : ndarray of shape () or (n_classes,)
        Global bias w0.
    linear_weights_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Linear weights w.
    embeddings_ : ndarray of shape (n_features, embedding_dim)
        Embeddings v; 0 for columns without a training row.
    projection_ : ndarray of shape (embedding_dim,) or (n_classes, embedding_dim)
        Prediction weights p: 1, and learnt where there are several outputs.
    column_mean_ : ndarray of shape (n_features,) or None
        What is subtracted from each column of X before anything else: the mean of a column that
        no training row has at 0 and whose mean is further from 0 than its standard deviation, 0
        for others; None if no column is such, as in one-hot rows.
    n_iter_ : int
        Epochs trained.
    best_iter_ : int
        Epoch whose parameters were kept.
    history_ : list of dict
        A record an epoch: epoch, train_loss, validation_loss, validation_score (with a
        `scoring` of its own), seconds, rows_per_second.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has names.

    See Also
    --------
    AFMClassifier : Weighs the interactions by an attention network.
    FMRegressor : The same model for regression.

    Notes
    -----
    With the non-zero features X of a row, the model is [1]_

    .. math::
        y(x) = w_0 + \sum_i w_i x_i + \sum_{i > j} v_i^T v_j x_i x_j

    computed in time linear in the row's non-zeros.

    Training minimises the sum over rows of weight times log loss, plus
    ``l2_embedding`` times ||v||^2 plus ``l2_linear`` times ||w||^2, all over the total weight.

    A column far from 0, such as a year, is centred first (``column_mean_``); x is what is left.
    While the model learns, columns are divided by the root mean square of their non-zero
    values; the fitted attributes apply to X as given. 0 and
    1 stay as they are.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import FMClassifier
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = ["yes", "no", "no", "yes"] * 100
    >>> encoder = OneHotEncoder(handle_unknown="ignore")
    >>> model = make_pipeline(encoder, FMClassifier(random_state=0)).fit(X, y)
    >>> model.predict([["red", "round"], ["blue", "round"]])
    array(['yes', 'no'], dtype='<U3')
    """

    _parameter_constraints: dict = {
        **_SumModel._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        embedding_dim=16,
        *,
        dropout=0.0,
        l2_embedding=10.0,
        l2_linear=0.5,
        optimizer="adagrad",
        learning_rate="auto",
        batch_size="auto",
        max_iter=100,
        init=None,
        freeze=(),
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        scoring="loss",
        weight_averaging=0.8,
        class_weight=None,
        warm_start=False,
        checkpoint=None,
        random_state=None,
        verbose=0,
        callbacks=None,
        precision="auto",
        device="auto",
    ):
        super().__init__(
            embedding_dim=embedding_dim,
            dropout=dropout,
            l2_embedding=l2_embedding,
            l2_linear=l2_linear,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            max_iter=max_iter,
            init=init,
            freeze=freeze,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            scoring=scoring,
            weight_averaging=weight_averaging,
            warm_start=warm_start,
            checkpoint=checkpoint,
            random_state=random_state,
            verbose=verbose,
            callbacks=callbacks,
            precision=precision,
            device=device,
        )
        self.class_weight = class_weight
