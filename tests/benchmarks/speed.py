"""Speed and memory of AFMRegressor beside public AFMs, into a JSON file of raw repeats.

    bash tests/benchmarks/make_peers.sh
    python tests/benchmarks/speed.py TABLE [TABLE ...] --data-home DIR --json FILE
    python tests/benchmarks/report.py FILE > docs/benchmarks.md

Contestants take turns (A B C D E, A B C D E, ...), each in a process of its own, one at a time.
A finished table is written at once and replaces what the file had under its name.
"""

import argparse
import datetime
import json
import os
import platform
import time
from pathlib import Path

from contests import TABLES, Arena, say


def machine() -> dict:
    """What the figures depend on beside the code."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = dict(line.split(":", 1) for line in lines if ":" in line)
    cpu = {key.strip(): value.strip() for key, value in cpu.items()}
    flags = set(cpu.get("flags", "").split())
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "native_bfloat16": sorted(flags & {"avx512_bf16", "amx_bf16"}),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def save(path: Path, name: str, table: dict) -> None:
    """Put a table into the file; a file half written is never left behind."""
    tables = json.loads(path.read_text()) if path.exists() else {}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(tables | {name: table}, indent=1) + "\n")
    new.replace(path)


def main():
    """Run the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="+", choices=list(TABLES), metavar="TABLE")
    parser.add_argument("--data-home", required=True, help="folder that holds frappe/*.npz")
    parser.add_argument("--peers", default="build/peers/bin/python", help="the peers' Python")
    parser.add_argument("--json", required=True, type=Path, help="file of raw repeats")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a trial on few rows")
    args = parser.parse_args()
    for name in args.tables:
        say(f"{name}: {TABLES[name].__doc__}")
        arena = Arena(args.data_home, args.peers, args.repeats, args.threads, args.quick)
        started = time.perf_counter()
        entries = list(TABLES[name](arena))
        table = {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "versions": arena.versions,
            "threads": args.threads,
            "repeats": args.repeats,
            "quick": args.quick,
            "seconds": time.perf_counter() - started,
            "entries": entries,
        }
        save(args.json, name, table)


if __name__ == "__main__":
    main()
