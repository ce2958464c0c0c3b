"""The sections of an estimator's docstring that its settings and its model's declaration give."""

import textwrap

from ._settings import GROUPS, settings_of

_SECTIONS = ("parameters", "attributes", "notes")
_SHARED_ATTRIBUTES = """\
median_pairs_ : float
    Weighted median of the number of pairs in a training row, at least 1.
column_mean_ : ndarray of shape (n_features,) or None
    What is subtracted from each column of X before anything else. A column is centred if no
    training row has it at 0, its mean is further from 0 than its standard deviation, and it is not
    1 in most rows; this is then its mean. It is 0 for other columns, and None if no column is
    centred, as in one-hot rows.
fields_ : ndarray of shape (n_features,)
    The field of each column.
l2_linear_ : ndarray of shape (n_features,)
    The strength of each column's field; only with ``l2_linear="auto"``.
l2_embedding_ : ndarray of shape (n_features,)
    The strength of the embeddings of each column's field: noise variance / their variance, in the
    mean over factors. Only with ``l2_linear="auto"`` and ``l2_embedding="auto"``, of a model that
    starts from an FM.
crossed_fields_ : ndarray of shape (n_pairs, 2)
    Pairs of fields that have crosses; only with ``l2_linear="auto"``.
l2_crosses_ : ndarray of shape (n_pairs,)
    The strength of the crosses of each pair of fields; only with ``l2_linear="auto"``.
cross_columns_ : ndarray of shape (n_crosses, 2)
    Pairs of columns that have a weight of their own.
cross_weights_ : ndarray of shape (n_crosses,) or ({outputs}, n_crosses)
    Their weights: a row with both columns adds w x_i x_j to its raw score.
unseen_fields_ : ndarray of shape (n_fields,)
    The labels in ``fields_``, in ascending order.
unseen_mean_ : ndarray of shape (n_fields,) or ({outputs}, n_fields)
    Mean of what an entry of each field adds to raw scores, over training rows; NaN for a field that
    some training row lacks. A row that lacks another field, as one of an unseen level, is predicted
    by the mean over its levels: this is added to its raw score.
unseen_variance_ : ndarray of shape (n_fields,) or ({outputs}, n_fields)
    Variance of the same. A logit is then divided by sqrt(1 + pi / 8 * variance).
n_iter_ : int
    Epochs trained.
best_iter_ : int
    Epoch whose parameters were kept; 0 if no epoch was better than the start, beyond chance.
history_ : list of dict
    A record per epoch: epoch, train_loss, validation_loss, validation_score (with a `scoring` of
    its own), seconds, rows_per_second.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns, if X has names."""


def documented(cls, model) -> str:
    """The docstring of a class, with the sections in place of {parameters} and so on.

    Parameters
    ----------
    cls : type
        An estimator. `_words` of its bases say what stands for other words in braces.
    model : Model
        Its model.
    """
    words = {}
    for base in reversed(cls.__mro__):
        words |= vars(base).get("_words", {})
    words |= {
        "parts": ", ".join(f'"{part}"' for part in model.parts),
        "attributes": _attributes(model, words),
        "parameters": parameters_section(cls),
    }
    return filled(cls.__doc__, words)


def parameters_section(cls) -> str:
    """The section "Parameters" of a class with settings, below a list of its groups."""
    settings = settings_of(cls)
    groups = []
    for group in GROUPS:
        names = ", ".join(f"`{name}`" for name, s in settings.items() if s.group == group)
        groups.append(textwrap.fill(f"- {group}: {names}.", 92, subsequent_indent="  "))
    described = [setting.described(name) for name, setting in settings.items()]
    section = _section("Parameters", "\n".join(described))
    return "\n".join(["The parameters, in groups:", "", *groups, "", section])


def filled(text: str, words: dict[str, str]) -> str:
    """A class's docstring, with words in place of their names in braces."""
    # The sections themselves have words in braces, so that they are put in first.
    for name in sorted(words, key=lambda name: name not in _SECTIONS):
        text = text.replace("{" + name + "}", textwrap.indent(words[name], "    ").strip())
    return text


def _attributes(model, words) -> str:
    output = words["outputs"]
    learnt = []
    for parameter in model.parameters:
        axes = [axis for axis in parameter.axes if axis != "output"]
        axes = ["n_features" if axis == "column" else axis for axis in axes]
        shapes = [axes, [output, *axes]] if "output" in parameter.axes else [axes]
        shape = " or ".join(f"({', '.join(s)}{',' * (len(s) == 1)})" for s in shapes)
        learnt.append(f"{parameter.name}_ : ndarray of shape {shape}\n    {parameter.doc}")
    described = [
        f"{name}_ : float\n{textwrap.indent(textwrap.fill(text, 92), '    ')}"
        for name, text in model.descriptions.items()
    ]
    own = [words["task_attributes"]] if words["task_attributes"] else []
    lines = [*own, *learnt, *described, _SHARED_ATTRIBUTES]
    return _section("Attributes", "\n".join(lines))


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}"
