"""Warnings that a user may want to filter, and an error that one may want to catch."""


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


class CategoryCodesWarning(UserWarning):
    """All columns of X look like codes of categories, and are multiplied as numbers.

    An ordinal encoder, or ``.cat.codes`` of pandas, makes such columns: all whole numbers from 0
    on, some of them rarer than a smaller and a larger one. A factorization machine learns from
    categories only if each level has a column of its own.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_afm.exceptions import CategoryCodesWarning
    >>> warnings.simplefilter("ignore", CategoryCodesWarning)  # if they are numbers
    """


class RankError(Exception):
    """A data-parallel fit has ended on this rank because of another one.

    The message says which rank has failed and why, or that one has died. No attribute of the
    estimator has been set. If a process has died, the process group is of no more use: end this
    process too.

    Examples
    --------
    >>> from sklearn_afm.exceptions import RankError
    >>> issubclass(RankError, Exception)
    True
    """
