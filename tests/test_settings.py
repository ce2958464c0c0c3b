"""Constructor parameters: stored, documented and constrained, each from one place."""

import inspect
import re

import numpy as np
import pytest
import sklearn
from conftest import AFMS, ESTIMATORS, target_for
from sklearn.base import clone
from sklearn.utils import estimator_html_repr

from sklearn_afm import AFMClassifier, AFMRegressor, BayesianFMRegressor, FMRegressor
from sklearn_afm._settings import GROUPS, RARELY, Setting, setting, settings_of
from sklearn_afm.baselines import DeepFMClassifier

# Parameters whose text differs between models, since they name parts of it.
OF_THE_MODEL = {"freeze", "precision", "init"}


def section(Estimator, title):
    """The entries of a section of the docstring: heads, and texts without line breaks."""
    doc = inspect.getdoc(Estimator)
    body = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n\S+.*\n-+\n)", doc, re.M | re.S).group(1)
    entries = re.findall(r"^(\w+) : (.*)\n((?:    .*\n?)+)", body, re.M)
    return {name: (head, " ".join(text.split())) for name, head, text in entries}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_each_parameter_is_documented_with_its_default(Estimator):
    parameters = inspect.signature(Estimator).parameters
    documented = section(Estimator, "Parameters")
    assert list(documented) == list(parameters)
    assert sorted(documented) == sorted(Estimator().get_params(deep=False))
    for name, (head, text) in documented.items():
        stated = re.search(r"default=(.*)$", head).group(1)
        assert eval(stated) == parameters[name].default, name
        assert text.endswith((".", ".``")), name
    assert set(Estimator._parameter_constraints) == set(parameters)


@pytest.mark.parametrize("Estimator", [*ESTIMATORS, BayesianFMRegressor, DeepFMClassifier])
def test_groups_of_parameters_are_listed_in_the_order_of_the_signature(Estimator):
    listed = re.findall(r"^- ([\w ]+): ((?:.*\n?)+?)(?=^- |^$)", inspect.getdoc(Estimator), re.M)
    assert tuple(group for group, _ in listed) == GROUPS
    names = [name for _, text in listed for name in re.findall(r"`(\w+)`", text)]
    assert names == list(inspect.signature(Estimator).parameters)
    in_group = {name: group for group, text in listed for name in re.findall(r"`(\w+)`", text)}
    assert in_group == {name: s.group for name, s in settings_of(Estimator).items()}
    assert in_group["embedding_dim"] == GROUPS[0]


def test_a_subclass_may_move_a_parameter_to_another_group():
    class Moved(FMRegressor):
        """Another group."""

        dropout: float = setting(0.0, [float], "float", "A text.", group=RARELY)

    assert list(settings_of(Moved)).index("dropout") > list(settings_of(Moved)).index("device")


def test_shared_parameters_are_documented_alike():
    sections = [section(Estimator, "Parameters") for Estimator in ESTIMATORS]
    for name in set.union(*map(set, sections)) - OF_THE_MODEL:
        assert len({found[name][1] for found in sections if name in found}) == 1, name


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_no_word_in_braces_is_left(Estimator):
    assert re.findall(r"(?<![{_^\\])\{[a-z]+\}", Estimator.__doc__.split("Notes")[0]) == []
    for word in ("{loss}", "{units}", "{notes}", "{parts}"):
        assert word not in Estimator.__doc__


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_documented_attributes_are_those_of_a_fit(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(max_iter=1, embedding_dim=3).fit(X, target_for(Estimator, y))
    fitted = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    documented = section(Estimator, "Attributes")
    assert fitted == set(documented) - {"feature_names_in_", "delta_"}
    sizes = {"n_features": 20, "embedding_dim": 3, "attention_dim": 16, "n_classes": 2}
    sizes |= {"n_fields": len(np.unique(model.fields_))}
    sizes |= {"n_crosses": len(model.cross_columns_), "n_pairs": len(model.l2_crosses_), "2": 2}
    for name, (head, _) in documented.items():
        shapes = re.findall(r"\(([^)]*)\)", head) if name in fitted else []
        if shapes and "ndarray" in head and getattr(model, name) is not None:
            axes = [axis for axis in shapes[0].replace(" ", "").split(",") if axis]
            assert getattr(model, name).shape == tuple(sizes[axis] for axis in axes), name


def test_parts_to_freeze_are_those_of_the_model():
    assert '"attention"' in section(AFMRegressor, "Parameters")["freeze"][1]
    assert '"attention"' not in section(FMRegressor, "Parameters")["freeze"][1]
    with pytest.raises(ValueError, match=r"\['attention'\].*'projection'\]"):
        FMRegressor(freeze=["attention"]).fit(np.eye(3), [1, 2, 3])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_parameters_are_stored_as_they_are(Estimator):
    values = {name: object() for name in inspect.signature(Estimator).parameters}
    model = Estimator(**values)
    assert vars(model) == values
    assert all(value is values[name] for name, value in model.get_params(deep=False).items())


def test_sizes_can_be_given_without_a_name():
    assert (
        AFMRegressor(3, 5).get_params()
        == AFMRegressor(embedding_dim=3, attention_dim=5).get_params()
    )
    with pytest.raises(TypeError, match="AFMRegressor: too many positional arguments"):
        AFMRegressor(3, 5, 0.1)
    with pytest.raises(TypeError, match=r"FMRegressor: got an unexpected keyword argument 'k'"):
        FMRegressor(k=3)


def test_repr_and_clone():
    model = AFMClassifier(8, dropout=0.3)
    assert repr(model) == "AFMClassifier(dropout=0.3, embedding_dim=8)"
    assert repr(clone(model)) == repr(model)
    html = estimator_html_repr(model)
    assert "AFMClassifier" in html
    assert "dropout" in html
    if not sklearn.__version__.startswith("1.6."):  # later ones list all parameters
        for name in AFMClassifier().get_params():
            assert name in html


def test_a_default_may_differ_by_class():
    assert [E().attention_lr_multiplier for E in AFMS] == [1.0, "auto"]


def test_subclasses_of_users():
    class Wider(FMRegressor):
        """Another default."""

        embedding_dim: int = 64

    class Fixed(FMRegressor):
        """A constructor of its own."""

        def __init__(self, dropout=0.5):
            super().__init__(dropout=dropout, max_iter=2)

    class Below(Fixed):
        """It keeps the constructor above it."""

    class Described(FMRegressor):
        """The nearest declaration of a parameter counts."""

        dropout: float = setting(0.25, [float], "float", "Another text.")

    assert settings_of(Described)["dropout"].doc == "Another text."
    assert Described().dropout == 0.25
    assert FMRegressor().dropout == 0.0

    class Computed(FMRegressor):
        """A property in place of a parameter is no default."""

        @property
        def max_iter(self):
            return 7

        @max_iter.setter
        def max_iter(self, value):
            pass

    assert Computed().max_iter == Computed(max_iter=3).max_iter == 7
    assert Wider().embedding_dim == clone(Wider()).embedding_dim == 64
    assert FMRegressor().embedding_dim == 16
    assert not hasattr(Wider, "embedding_dim")
    assert list(inspect.signature(Below).parameters) == ["dropout"]
    assert Below().max_iter == 2
    assert all(isinstance(value, Setting) for value in settings_of(Wider).values())
