"""make_field_pipeline: from a frame to an estimator in one call."""

from sklearn import get_config
from sklearn.pipeline import Pipeline, make_pipeline

from .encoder import FieldEncoder


def make_field_pipeline(estimator, **encoder_parameters) -> Pipeline:
    """A Pipeline of a :class:`FieldEncoder` and an estimator, for frames.

    Its steps are called ``fieldencoder`` and the estimator's class name in lower case, so that
    ``GridSearchCV`` takes names such as ``afmclassifier__dropout`` and ``fieldencoder__n_bins``. If
    metadata routing is on when the pipeline is made
    (``sklearn.set_config(enable_metadata_routing=True)``), a frame that ``fit`` gets as `X_val` is
    encoded too.

    Parameters
    ----------
    estimator : estimator
        The last step, such as ``AFMClassifier()``.
    **encoder_parameters
        Parameters of :class:`FieldEncoder`.

    Returns
    -------
    pipeline : Pipeline
        The pipeline, not fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50, "size": [1, 1, 2, 2] * 25})
    >>> y = ["yes", "no", "no", "yes"] * 25
    >>> model = make_field_pipeline(AFMClassifier(random_state=0)).fit(frame, y)
    >>> model.predict(frame[:2])
    array(['yes', 'no'], dtype='<U3')
    """
    routing = get_config()["enable_metadata_routing"]
    return make_pipeline(
        FieldEncoder(**encoder_parameters),
        estimator,
        transform_input=["X_val"] if routing else None,
    )
