"""AFMRegressor and AFMClassifier: the attentional model times the two tasks."""

from numbers import Integral, Real

from ._base import BaseFactorizationMachine
from ._compat import HasMethods, Interval, StrOptions
from ._core.parameters import start_attention
from ._core.pooling import AttentionPooling
from ._tasks import ClassificationTask, RegressionTask


class _AttentionalModel(BaseFactorizationMachine):
    """The model part of AFM."""

    _parameter_constraints: dict = {
        **BaseFactorizationMachine._parameter_constraints,
        "attention_dim": [Interval(Integral, 1, None, closed="left")],
        "attention_dropout": [Interval(Real, 0, 1, closed="left")],
        "l2_attention": [Interval(Real, 0, None, closed="left")],
        "attention_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "init": [None, StrOptions({"fm"}), HasMethods(["fit", "predict"])],
    }

    def __init__(
        self,
        embedding_dim=16,
        attention_dim=16,
        *,
        dropout=0.0,
        attention_dropout=0.0,
        l2_attention=1e-4,
        l2_embedding=20.0,
        l2_linear=0.5,
        optimizer="adagrad",
        learning_rate="auto",
        attention_rate=1.0,
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
        self.attention_dim = attention_dim
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.l2_attention = l2_attention
        self.l2_embedding = l2_embedding
        self.l2_linear = l2_linear
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.attention_rate = attention_rate
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
        return AttentionPooling(
            embedding_dim,
            self.attention_dim,
            self.attention_dropout,
            product_dtype,
            median_pairs=self.median_pairs_,
        )

    def _start_own_parameters(self, rng):
        return start_attention(self.embedding_dim, self.attention_dim, rng)

    def _start_projection_size(self, median_pairs):
        # The attention sums to 1 over the pairs: with p = |R| the model starts as strong as FM.
        # Rows of more or fewer pairs are held against the number that p starts at.
        self.median_pairs_ = median_pairs
        return median_pairs

    def _has_fixed_projection(self, n_outputs):
        return False


class AFMRegressor(RegressionTask, _AttentionalModel):
    r"""Attentional factorization machine for regression.

    Models all pairwise interactions of a row's non-zero features through embeddings,
    and weighs each by a small attention network.

    Parameters
    ----------
    embedding_dim : int, default=16
        Length k of each column's embedding.
    attention_dim : int, default=16
        Width t of the attention network, the paper's "attention factor".
    dropout : float in [0, 1), default=0.0
        Share of the pooled k-vector of each row that training sets to 0.
    attention_dropout : float in [0, 1), default=0.0
        Share of the attention weights that training sets to 0.
    l2_attention : float, default=1e-4
        The paper's lambda: penalty of ``attention_weight_``, beside the mean loss.
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
    attention_rate : "auto" or float, default=1.0
        Learning rate of the attention network, as a multiple of `learning_rate`. "auto" is a
        thousandth of the rows that hold a column, in the mean over columns, between 0.1 and 1.
    batch_size : "auto" or int, default="auto"
        Rows a step. "auto" is a power of two near n_samples / 32, between 64 and 512.
    max_iter : int, default=100
        Epochs at most.
    init : "fm", estimator or None, default=None
        "fm" first fits the FM of the same size on the same rows and starts from it, with
        uniform attention and its optimiser's state; a fitted FM estimator is taken as it
        is, with the state if it has ``warm_start=True`` (inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`).
    freeze : tuple of str, default=()
        Parts that training leaves as they start: any of "bias", "linear_weights",
        "embeddings", "projection" and "attention".
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
        float64 elsewhere. "bfloat16" is float32 with the attention network's training
        products in bfloat16.
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
        Prediction weights p.
    attention_weight_ : ndarray of shape (attention_dim, embedding_dim)
        W of the attention network.
    attention_bias_ : ndarray of shape (attention_dim,)
        b of the attention network.
    attention_context_ : ndarray of shape (attention_dim,)
        h of the attention network.
    attention_spread_ : float
        Standard deviation of the attention over the pairs of (up to 500) training rows, in units
        of its mean: 0 if all pairs of a row have the same attention, as in an FM.
    median_pairs_ : float
        Weighted median of the number of pairs in a training row, at least 1.
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
    FMRegressor : The same without attention.
    AFMClassifier : The same model for classification.

    Notes
    -----
    With the non-zero features X of a row and the pairs R among them, the model is [1]_

    .. math::
        y(x) = w_0 + \sum_i w_i x_i
        + \frac{|R|}{\bar R} \, p^T \sum_{(i,j) \in R} a_{ij} (v_i \odot v_j) x_i x_j

    where the attention :math:`a_{ij}` is the softmax over R of
    :math:`h^T ReLU(W (v_i \odot v_j) x_i x_j + b)` (Eq. 5 and 6). The factor is the row's number
    of pairs over ``median_pairs_``. It is 1 where all rows have as many entries, as in the paper; a
    row that lacks one, say for a level not seen before, has that much less interaction, as in
    an FM.

    Training minimises the sum over rows of weight times squared error, plus
    ``l2_embedding`` times ||v||^2 plus ``l2_linear`` times ||w||^2, all over the total weight, plus
    ``l2_attention`` times ||W||^2.

    A column far from 0, such as a year, is centred first (``column_mean_``); x is what is left.
    While the model learns, columns are divided by the root mean square of their non-zero
    values, and targets are standardised; the fitted attributes apply to X and y as given. 0 and
    1 stay as they are.

    References
    ----------
    .. [1] J. Xiao, H. Ye, X. He, H. Zhang, F. Wu and T.-S. Chua, "Attentional
       Factorization Machines: Learning the Weight of Feature Interactions via Attention
       Networks", IJCAI 2017.

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


class AFMClassifier(ClassificationTask, _AttentionalModel):
    r"""Attentional factorization machine for classification.

    Models all pairwise interactions of a row's non-zero features through embeddings,
    and weighs each by a small attention network.

    Parameters
    ----------
    embedding_dim : int, default=16
        Length k of each column's embedding.
    attention_dim : int, default=16
        Width t of the attention network, the paper's "attention factor".
    dropout : float in [0, 1), default=0.0
        Share of the pooled k-vector of each row that training sets to 0.
    attention_dropout : float in [0, 1), default=0.0
        Share of the attention weights that training sets to 0.
    l2_attention : float, default=1e-4
        The paper's lambda: penalty of ``attention_weight_``, beside the mean loss.
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
    attention_rate : "auto" or float, default="auto"
        Learning rate of the attention network, as a multiple of `learning_rate`. "auto" is a
        thousandth of the rows that hold a column, in the mean over columns, between 0.1 and 1.
    batch_size : "auto" or int, default="auto"
        Rows a step. "auto" is a power of two near n_samples / 32, between 64 and 512.
    max_iter : int, default=100
        Epochs at most.
    init : "fm", estimator or None, default=None
        "fm" first fits the FM of the same size on the same rows and starts from it, with
        uniform attention and its optimiser's state; a fitted FM estimator is taken as it
        is, with the state if it has ``warm_start=True`` (inside a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`).
    freeze : tuple of str, default=()
        Parts that training leaves as they start: any of "bias", "linear_weights",
        "embeddings", "projection" and "attention".
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
        float64 elsewhere. "bfloat16" is float32 with the attention network's training
        products in bfloat16.
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
        Prediction weights p.
    attention_weight_ : ndarray of shape (attention_dim, embedding_dim)
        W of the attention network.
    attention_bias_ : ndarray of shape (attention_dim,)
        b of the attention network.
    attention_context_ : ndarray of shape (attention_dim,)
        h of the attention network.
    attention_spread_ : float
        Standard deviation of the attention over the pairs of (up to 500) training rows, in units
        of its mean: 0 if all pairs of a row have the same attention, as in an FM.
    median_pairs_ : float
        Weighted median of the number of pairs in a training row, at least 1.
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
    FMClassifier : The same without attention.
    AFMRegressor : The same model for regression.

    Notes
    -----
    With the non-zero features X of a row and the pairs R among them, the model is [1]_

    .. math::
        y(x) = w_0 + \sum_i w_i x_i
        + \frac{|R|}{\bar R} \, p^T \sum_{(i,j) \in R} a_{ij} (v_i \odot v_j) x_i x_j

    where the attention :math:`a_{ij}` is the softmax over R of
    :math:`h^T ReLU(W (v_i \odot v_j) x_i x_j + b)` (Eq. 5 and 6). The factor is the row's number
    of pairs over ``median_pairs_``. It is 1 where all rows have as many entries, as in the paper; a
    row that lacks one, say for a level not seen before, has that much less interaction, as in
    an FM.

    Training minimises the sum over rows of weight times log loss, plus
    ``l2_embedding`` times ||v||^2 plus ``l2_linear`` times ||w||^2, all over the total weight, plus
    ``l2_attention`` times ||W||^2.

    A column far from 0, such as a year, is centred first (``column_mean_``); x is what is left.
    While the model learns, columns are divided by the root mean square of their non-zero
    values; the fitted attributes apply to X as given. 0 and
    1 stay as they are.

    References
    ----------
    .. [1] J. Xiao, H. Ye, X. He, H. Zhang, F. Wu and T.-S. Chua, "Attentional
       Factorization Machines: Learning the Weight of Feature Interactions via Attention
       Networks", IJCAI 2017.

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

    _parameter_constraints: dict = {
        **_AttentionalModel._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        embedding_dim=16,
        attention_dim=16,
        *,
        dropout=0.0,
        attention_dropout=0.0,
        l2_attention=1e-4,
        l2_embedding=10.0,
        l2_linear=0.5,
        optimizer="adagrad",
        learning_rate="auto",
        attention_rate="auto",
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
            attention_dim=attention_dim,
            dropout=dropout,
            attention_dropout=attention_dropout,
            l2_attention=l2_attention,
            l2_embedding=l2_embedding,
            l2_linear=l2_linear,
            optimizer=optimizer,
            learning_rate=learning_rate,
            attention_rate=attention_rate,
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
