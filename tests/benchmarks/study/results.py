"""Results of a run: a file of JSON lines. Each result adds one line."""

import json
import sys
from pathlib import Path


class Results:
    """The lines of a file. New results are appended to it."""

    def __init__(self, path):
        self.path = Path(path)
        self.lines = read(self.path) if self.path.exists() else []

    def add(self, line):
        """Append a result."""
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.lines.append(line)


def read(path):
    """Return all JSON values of a file. Each may take one line or several."""
    text, decoder, position, lines = path.read_text().rstrip(), json.JSONDecoder(), 0, []
    while position < len(text):
        line, end = decoder.raw_decode(text, position)
        lines.append(line)
        position = end + len(text[end:]) - len(text[end:].lstrip())
    return lines


def say(message):
    """Print a line of progress."""
    print(message, file=sys.stderr, flush=True)
