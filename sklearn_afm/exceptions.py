"""Warnings that a user may want to filter."""


class VanishedInteractionsWarning(UserWarning):
    """All embeddings became almost zero: the fitted model is linear.

    The regularisation of the embeddings (`l2_embedding`) caused this. It is right if columns do
    not interact. With few rows, the regularisation can also be too strong, so that the model
    misses interactions that exist. Only fits with a number for `l2_linear` give this warning: by
    default, crosses are there for interactions that embeddings miss.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_afm.exceptions import VanishedInteractionsWarning
    >>> warnings.simplefilter("ignore", VanishedInteractionsWarning)  # for example in a search
    """
