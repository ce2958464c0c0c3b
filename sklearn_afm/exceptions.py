"""Warnings that a user may want to filter."""


class VanishedInteractionsWarning(UserWarning):
    """The prior has shrunk all embeddings to nothing: what was fitted is a linear model.

    That is right where columns do not interact. Where few rows are all there is, the prior can
    also be too strong for interactions that are there.
    """
