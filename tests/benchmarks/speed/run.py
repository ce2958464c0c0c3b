"""Measure speed and memory of this package and of public ones, or report what was measured.

    bash tests/benchmarks/speed/make_peers.sh
    python tests/benchmarks/speed/run.py TABLE [TABLE ...] --data-home DIR --json FILE
    python tests/benchmarks/speed/run.py --report FILE > docs/benchmarks.md
    python tests/benchmarks/speed/run.py --quick [--json FILE]

A finished table is written to FILE at once. It replaces the table of this name in FILE. `--quick`
is a smoke run: it measures every table on a few generated rows, with the installed peers, and
prints the report.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import results
from arena import Arena, installed_peers, say
from page import page
from tables import TABLES


def main():
    """Measure or report what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--data-home", help="folder that holds frappe/*.npz")
    parser.add_argument("--peers", default="build/peers/bin/python", help="the peers' Python")
    parser.add_argument("--json", type=Path, help="file of raw repeats")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report", type=Path, metavar="FILE", help="print the page of this file")
    parser.add_argument("--quick", action="store_true", help="a smoke run on a few generated rows")
    args = parser.parse_args()
    unknown = set(args.tables) - set(TABLES)
    if unknown:
        parser.error(f"no such table: {', '.join(unknown)}. Choose from: {', '.join(TABLES)}")
    if args.report:
        print(page(results.load(args.report)))
    elif args.quick:
        with tempfile.TemporaryDirectory() as folder:
            quick(args, args.json or Path(folder) / "quick.json")
    elif args.tables and args.data_home and args.json:
        with Arena(args.data_home, args.peers, args.repeats, args.threads) as arena:
            measure(args.tables, arena, args.json)
    else:
        parser.error("Give tables with --data-home and --json, or --report, or --quick.")


def quick(args, path):
    """Measure each table on few rows, and print the report."""
    # Without an environment of the peers, plain torch runs in this one.
    python = args.peers if Path(args.peers).exists() else sys.executable
    peers = installed_peers(python)
    # One thread each, because idle processes with several threads slow down the active one.
    with Arena(None, python, repeats=1, threads=1, quick=True, peers=peers) as arena:
        measure(args.tables or TABLES, arena, path)
    print(page(results.load(path)))


def measure(names, arena, path):
    """Measure tables in turn. Save each when it is done."""
    for name in names:
        say(f"{name}: {TABLES[name].__doc__.strip()}")
        results.save(path, name, results.measure(TABLES[name], arena))


if __name__ == "__main__":
    main()
