"""Check the built site: texts of pictures, widths at 390 and 1280 px, and first hits of searches.

    python tests/built_site/check_site.py [build/docs]

The browser is Chromium, without a window. It opens `measure.html` beside this file, which measures
each page in a frame of the width of a telephone or a laptop, and posts what it finds. Build the
site into an empty folder before: if Sphinx builds again, its search forgets the index entries of
pages that did not change.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 300  # seconds for all pages
FIRST_HITS = {  # what a user types, and the page that answers
    "overfitting": "guide/training.html",
    "missing values": "guide/frames.html",
    "GPU": "guide/running.html",
    "dates": "guide/frames.html",
    "feature importance": "explanations.html",
    "categorical": "guide/frames.html",
}


def main(site):
    """Print what is wrong. Return how much it is."""
    site = Path(site).resolve()
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    pages = [page for page in pages if not page.startswith("_static/")]
    if not pages:
        sys.exit(f"{site} has no pages: build the documentation first.")
    faults = [f"{page}: {fault}" for page in pages for fault in untold_pictures(site / page)]
    faults += measure(site, pages, FIRST_HITS)
    print("\n".join(faults))
    print(f"{len(pages)} pages, {len(FIRST_HITS)} searches, {len(faults)} faults", file=sys.stderr)
    return len(faults)


# Texts of pictures


class Pictures(HTMLParser):
    """Collect the attributes of all pictures of a page."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        """Collect one picture."""
        if tag == "img":
            self.found.append(dict(attributes))


def untold_pictures(page):
    """Yield the pictures of a page whose alternative text says nothing."""
    for picture in Pictures(page.read_text(encoding="utf-8")).found:
        text, source = picture.get("alt") or "", picture.get("src", "")
        if len(text.split()) < 3 or source.rpartition("/")[2] in text:
            yield (
                f"the picture {source} has the text {text!r}. Say what it shows: in brackets "
                "before its address, or in the cell's metadata as mystnb: {image: {alt: ...}}"
            )


# Widths and searches


class Handler(SimpleHTTPRequestHandler):
    """Serve the site and the page that measures it. Take what that page finds."""

    def do_GET(self):
        """Answer with the measuring page, with what it has to do, or with a file of the site."""
        if self.path == "/measure":
            self.answer((HERE / "measure.html").read_bytes(), "text/html")
        elif self.path == "/jobs":
            self.answer(json.dumps(self.server.jobs).encode(), "application/json")
        else:
            super().do_GET()

    def do_POST(self):
        """Take the faults that were found."""
        self.server.faults = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"", "text/plain")
        self.server.done.set()

    def answer(self, content, kind):
        """Send a whole answer."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Print nothing for each file."""


def find_browser():
    """Return the path of the first browser that is installed, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Server(ThreadingHTTPServer):
    """A server that says nothing if the browser breaks a request off."""

    def handle_error(self, request, client_address):
        """Print no traceback."""


def measure(site, pages, first_hits):
    """Return what a browser finds: elements beyond the edge, cut tables, wrong first hits."""
    browser = find_browser()
    if browser is None:
        sys.exit(f"None of {', '.join(BROWSERS)} is installed. On Debian: apt-get install chromium")
    server = Server(("127.0.0.1", 0), partial(Handler, directory=site))
    server.jobs = {"pages": pages, "firstHits": first_hits}
    server.done = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        run(browser, f"http://127.0.0.1:{server.server_port}/measure", server.done)
    finally:
        server.shutdown()
        server.server_close()
    return server.faults


def run(browser, address, done):
    """Let a browser open an address, until `done` is set."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [browser, *options, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not done.wait(TIMEOUT):
                sys.exit(f"{browser} has not measured the site within {TIMEOUT} seconds.")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(min(main(*(sys.argv[1:] or ["build/docs"])), 1))
