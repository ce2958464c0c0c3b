"""Imports go in one direction, and only one file uses private names of scikit-learn."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from house import drawing, floor_of

import sklearn_afm
from sklearn_afm._afm import AFM
from sklearn_afm._fm import FM

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sklearn_afm.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def own_imports(path):
    """Yield the files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            folder = path.parents[node.level - 1] if node.level else PACKAGE.parent
            parts = (node.module or "").split(".") if node.module else []
            target = folder.joinpath(*parts)
            candidates = [target.with_suffix(".py"), target / "__init__.py"]
            candidates += [target / f"{alias.name}.py" for alias in node.names]
            found = [c for c in candidates if c in FILES]
            members = [c for c in found if c.name != "__init__.py"]
            yield from (members or found)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_run_downwards(path):
    for imported in own_imports(path):
        assert floor_of(name_of(imported)) >= floor_of(name_of(path)), (path, imported)


def test_imports_run_in_no_circle():
    graph = {path: set(own_imports(path)) - {path} for path in FILES}
    list(TopologicalSorter(graph).static_order())  # a circle raises


def test_the_drawing_is_of_these_floors():
    """If not: python tests/house.py > docs/contributing/house.svg."""
    assert (ROOT / "docs" / "contributing" / "house.svg").read_text() == drawing()


def test_each_file_is_of_a_readable_length():
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_other_file_names_a_parameter_of_one_model():
    """What a model declares under names of its own is known to its file alone."""
    common = {p.name for p in FM(2, 1).parameters}
    own = {p.name for p in AFM(2, 2, 1).parameters} - common
    assert own
    found = {
        (name_of(path), name)
        for path in FILES
        for name in own
        if name in path.read_text() and path.name != "_afm.py"
    }
    assert found == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_core_knows_nothing_of_scikit_learn(path):
    text = path.read_text()
    if "_core" in path.parts:
        assert "import sklearn" not in text
        assert "from sklearn" not in text


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_private_names_of_scikit_learn_are_in_one_file(path):
    private = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn.")
        for alias in node.names
        if alias.name.startswith("_") or "._" in node.module
    ]
    assert bool(private) == (path.name == "_compat.py")
