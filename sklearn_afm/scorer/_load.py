"""load_scorer: a Scorer from its file."""

from ._files import read
from ._scorer import Scorer


def load_scorer(file):
    """Read a scorer from a file that ``Scorer.save`` has written.

    Parameters
    ----------
    file : str, path or binary file
        The file.

    Returns
    -------
    scorer : Scorer
        The scorer. No code in the file is executed, whoever made it.

    Raises
    ------
    ValueError
        If the file is no scorer, is damaged or cut off, or is of a later release.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import io
    >>> import pandas as pd
    >>> from sklearn_afm import FMRegressor, make_field_pipeline
    >>> from sklearn_afm.export import to_scorer
    >>> from sklearn_afm.scorer import load_scorer
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50})
    >>> model = make_field_pipeline(FMRegressor(random_state=0)).fit(frame, [1.0, 2.0] * 50)
    >>> file = io.BytesIO()
    >>> to_scorer(model).save(file)
    >>> start = file.seek(0)
    >>> round(load_scorer(file).predict({"colour": "red"}), 1)
    1.0
    """
    fields, arrays, options, classes = read(file)
    return Scorer(fields, arrays, classes=classes, **options)
