"""Warnings that a user may want to filter."""


class VanishedInteractionsWarning(UserWarning):
    """The prior has shrunk all embeddings to nothing: what was fitted is a linear model.

    That is right where columns do not interact. Where there are few rows, the prior
    (`l2_embedding`) can also be too strong for interactions that are there.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_afm.exceptions import VanishedInteractionsWarning
    >>> warnings.simplefilter("ignore", VanishedInteractionsWarning)  # in a search, say
    """
