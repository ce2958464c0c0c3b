"""The file of raw repeats: a JSON object of tables. Each says when and where it was measured."""

import datetime
import json
import os
import platform
import time
from pathlib import Path


def measure(table, arena):
    """Measure a table. Return its lines, and when, where and with what they were measured."""
    arena.versions = {}
    started = time.perf_counter()
    entries = list(table.measure(arena))
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": arena.versions,
        "threads": arena.threads,
        "repeats": arena.repeats,
        "quick": arena.quick,
        "seconds": time.perf_counter() - started,
        "entries": entries,
    }


def machine() -> dict:
    """Return what the figures depend on besides the code."""
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


def save(path: Path, name: str, measured: dict) -> None:
    """Write a table into the file. If this is interrupted, the old file remains."""
    tables = load(path) if path.exists() else {}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(tables | {name: measured}, indent=1) + "\n")
    new.replace(path)


def load(path: Path) -> dict:
    """Return the measured tables by name."""
    return json.loads(path.read_text())
