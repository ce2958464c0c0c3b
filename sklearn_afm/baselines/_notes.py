"""The section "Notes" of the models' docstrings."""

_LINEAR = """C are the crosses (``cross_columns_``), with weights c of their own; ``crosses=None``
leaves them out. With ``l2_linear="auto"``, this linear part (w0, w, c) is fitted first, with
strengths that are learnt on held-out rows.{start}"""
_FROM_FM = """ With ``l2_embedding="auto"`` it is fitted together with the embeddings
of an FM, by variational inference. Training goes on from there."""
_FROM_0 = " The rest starts at 0 and learns what the linear part leaves."
_OBJECTIVE = """Training minimises the sum over rows of weight times {loss}, plus ``l2_embedding``
times the squared embeddings, plus ``l2_linear`` times ||w||^2 if it is a number, all divided by the
total weight{ridges}.

{units}"""
_LAYER_RIDGES = ", plus ``alpha`` times the squared matrices of the layers and of the output"


def notes(
    equation: str, about: str, references: str, *, starts_from_fm: bool, has_layers: bool
) -> str:
    """The section, with words in braces that the task fills in.

    Parameters
    ----------
    equation : str
        What stands beside the linear part.
    about : str
        What its symbols mean, and what the authors' code does differently.
    references : str
        The list of references.
    starts_from_fm, has_layers : bool
        How the model starts, and whether it has hidden layers.
    """
    return f"""Notes
-----
With the non-zero features X of a row, the model is

.. math::
    y(x) = w_0 + \\sum_i w_i x_i + \\sum_{{(i,j) \\in C}} c_{{ij}} x_i x_j + {equation}

{about}

{_LINEAR.replace("{start}", _FROM_FM if starts_from_fm else _FROM_0)}

{_OBJECTIVE.replace("{ridges}", _LAYER_RIDGES if has_layers else "")}

References
----------
{references}"""
