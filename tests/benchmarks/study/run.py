"""Measure AFM's quality, defaults, explanations and long runs, or report what was measured.

    python tests/benchmarks/study/run.py TABLE [options of the table] --data-home DIR --json FILE
    python tests/benchmarks/study/run.py TABLE --report FILE
    python tests/benchmarks/study/run.py --quick [--json FOLDER]

Results are appended to FILE as lines of JSON. The report goes to standard output. `--quick` is a
smoke run: it measures every table on a few generated rows, with the installed libraries.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # for all figures; libraries read it when loaded

from results import Results, read, say
from tables import NAMES, load


def main():
    """Measure or report what the command line asks for."""
    # Only this table is imported, because the memory of all libraries counts in long runs.
    tables = load([name for name in NAMES if name in sys.argv[1:2]] or NAMES)
    parser = make_parser(tables)
    options = parser.parse_args()
    table = tables.get(options.table)
    if options.quick:
        quick(tables, parser, options.json)
    elif table is None:
        parser.error(f"Give a table ({', '.join(NAMES)}), or --quick.")
    elif options.report:
        print(table.report(read(options.report), options))
    else:
        path = options.json or Path(tempfile.mkdtemp()) / f"{options.table}.json"
        say(f"results: {path}")
        results = Results(path)
        table.measure(options, results)
        print(table.report(results.lines, options))


def make_parser(tables):
    """Make a parser with the options of all tables and those of each."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-home", help="folder of adult, ml-100k and frappe")
    shared.add_argument("--json", type=Path, help="append each result as a line to this file")
    shared.add_argument("--report", type=Path, metavar="FILE", help="report this file's results")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run on a few generated rows")
    parser.add_argument(
        "--json", type=Path, metavar="FOLDER", help="with --quick: folder of results"
    )
    subparsers = parser.add_subparsers(dest="table", metavar="TABLE")
    for name, table in tables.items():
        title = table.__doc__.splitlines()[0]
        table.add_options(
            subparsers.add_parser(name, parents=[shared], help=title, description=title)
        )
    return parser


def quick(tables, parser, folder):
    """Measure and report each table on few rows."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            started = time.perf_counter()
            results = Results(folder / f"{name}.json")
            for arguments in table.quick(Path(temporary)):
                options = parser.parse_args([name, *arguments])
                table.measure(options, results)
            if results.lines:
                print(f"# {name}\n\n{table.report(read(results.path), options)}", flush=True)
            say(f"{name}: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
