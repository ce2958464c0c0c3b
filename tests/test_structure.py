"""Imports go in one direction, and only one file uses private names of scikit-learn."""

import ast
from pathlib import Path

import pytest

import sklearn_afm

PACKAGE = Path(sklearn_afm.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# A file may only import files of lower floors: of earlier lines in this list.
FLOORS = [
    # Data sets do not depend on the estimators.
    ["datasets/_negatives.py", "datasets/_one_hot.py", "datasets/_remote.py"],
    ["datasets/_frappe.py", "datasets/_interactions.py", "datasets/_movielens_100k.py"],
    ["datasets/_movielens_tags.py"],
    ["datasets/__init__.py"],
    ["_core/allocator.py", "_core/batches.py", "_core/losses.py"],
    ["_core/optimizers.py", "_core/parameters.py"],
    ["_core/memory.py", "_core/pairs.py", "_core/products.py"],
    ["_core/field_pairs.py"],
    ["_core/scoring.py"],
    ["_core/pooling.py"],
    ["_core/model.py"],
    ["_core/trainer.py"],
    ["_compat.py", "_reporting.py", "_scaling.py", "_sparse.py", "_split.py", "exceptions.py"],
    ["_input.py", "_tasks.py"],
    ["_attributes.py"],
    # Inspection only reads fitted attributes. It does not depend on the estimator classes.
    ["inspection/_columns.py", "inspection/_plotting.py", "inspection/_results.py"],
    ["inspection/_terms.py"],
    ["inspection/_importance.py", "inspection/_scores.py"],
    ["inspection/_table.py"],
    [
        "inspection/_attention_display.py",
        "inspection/_history_display.py",
        "inspection/_interaction_display.py",
        "inspection/_pair_importance_display.py",
    ],
    ["inspection/__init__.py"],
    ["_checkpoint.py", "_start.py"],
    ["_fitting.py"],
    ["_base.py"],
    ["_afm.py", "_fm.py"],
    ["__init__.py"],
    ["__main__.py"],
    # The paper's experiments use all the other files.
    ["experiments/_measures.py", "experiments/_rows.py", "experiments/_tables.py"],
    ["experiments/_attention_alone.py", "experiments/_new_pairs.py", "experiments/_pictures.py"],
    ["experiments/_recipe.py", "experiments/_runs.py"],
    ["experiments/_studies.py"],
    ["experiments/__main__.py", "experiments/__init__.py"],
]


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
    floors = {name: floor for floor, names in enumerate(FLOORS) for name in names}
    if name_of(path) == "_core/__init__.py":
        return
    for imported in own_imports(path):
        assert floors[name_of(imported)] < floors[name_of(path)], (path, imported)


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
