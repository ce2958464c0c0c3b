"""The check of the site finds what is wrong on pages that are made wrong."""

import pytest
from check_site import find_browser, measure, untold_pictures

PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><body style="margin: 0">
<article style="overflow-x: auto"><h1>A page</h1>{}</article></body>"""
WIDE = '<div style="width: 600px; height: 9px">{}</div>'
PAGES = {
    "good": '<p>Text</p><div style="overflow-x: auto">'
    + WIDE.format("scrolls by itself")
    + "</div>",
    "wide": WIDE.format("too wide"),
    "folded": f"<details>{WIDE.format('folded')}</details>",
    "cut": '<table style="display: block; width: 300px; overflow: auto"><tr><td>'
    + WIDE.format("cut")
    + "</td></tr></table>",
}


def test_pictures_need_a_text(tmp_path):
    page = tmp_path / "page.html"
    texts = ['alt="Loss by epoch, of FM and AFM"', "", 'alt=""', 'alt="image"', 'alt="a/curve.png"']
    page.write_text("".join(f'<img src="a/curve.png" {text}>' for text in texts))
    assert len(list(untold_pictures(page))) == 4


@pytest.mark.skipif(find_browser() is None, reason="needs Chromium")
def test_nothing_may_be_beyond_the_edge(tmp_path):
    for name, body in PAGES.items():
        (tmp_path / f"{name}.html").write_text(PAGE.format(body))
    hits = "<ul class='search'><li><a href='wide.html'>Wide</a></li></ul>"
    (tmp_path / "search.html").write_text(f"<div id='search-results'>{hits}</div>")
    pages = [f"{name}.html" for name in PAGES]
    faults = measure(tmp_path, pages, {"wide": "wide.html", "good": "good.html"})
    assert sorted(fault.partition(" px")[0] for fault in faults) == [
        'a search for "good" finds wide.html (Wide) first, not good.html',
        "cut.html at 1280",
        "folded.html at 390",
        "wide.html at 390",
    ]
