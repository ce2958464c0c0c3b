"""Build the wheel, compare its files with the package's, and use it in an environment of its own.

The environment sees the dependencies in the site-packages of the Python that runs this script. It
does not see an editable installation there: only `site` reads the .pth files of a folder, and it
does so for an environment's own folder alone.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

ROOT = Path(__file__).resolve().parents[1]
# Data in the package, what it computes, metrics.
TESTS = ["datasets/test_flights.py", "_core/pairs/test_pairs.py", "test_metrics.py"]
# Prints where the package is that is imported from a folder outside of the checkout.
WHERE = "import importlib.util as u; s = u.find_spec('sklearn_afm'); print(s and s.origin)"
# Runs pytest, and says where the package is that it has tested.
TESTED = """import sys, pytest
code = pytest.main(sys.argv[1:])
import sklearn_afm
print(sklearn_afm.__file__)
sys.exit(code)"""


def run(*command, folder=None):
    """Run a command in a folder, and return the last line that it prints."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return (done.stdout.splitlines() or [""])[-1]


def build(folder):
    """Build the wheel from a copy: what earlier builds left in the checkout would get into it."""
    source = folder / "source"
    copytree(ROOT / "sklearn_afm", source / "sklearn_afm", ignore=ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / name, source)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source)
    (wheel,) = folder.glob("sklearn_afm-*.whl")
    return wheel


def check_files(wheel):
    """All files of the package, the licence, and nothing else."""
    names = zipfile.ZipFile(wheel).namelist()
    info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
    found = {name for name in names if not name.startswith(f"{info}/")}
    files = (path for path in (ROOT / "sklearn_afm").rglob("*") if path.is_file())
    due = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    if found != due:
        sys.exit(f"{wheel.name} lacks {sorted(due - found)}, and has also {sorted(found - due)}")
    if f"{info}/licenses/LICENSE" not in names:
        sys.exit(f"{wheel.name} has no LICENSE")


def install(wheel, folder):
    """Install the wheel into a new environment, and return its Python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    if (place := run(python, "-c", WHERE, folder=folder)) != "None":
        sys.exit(f"{place} is there without the wheel")
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "-q", "--no-deps", "--ignore-installed", wheel)
    return python, own


def main():
    """Build, check, install, use."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        wheel = build(folder)
        check_files(wheel)
        python, own = install(wheel, folder / "environment")
        run(python, "-m", "sklearn_afm", folder=folder)
        tests = [ROOT / "tests" / test for test in TESTS]
        command = [python, "-c", TESTED, "-q", "-p", "no:cacheprovider", *tests]
        place = run(*command, folder=folder)
        if not Path(place).is_relative_to(own):
            sys.exit(f"the tests took {place}, not the wheel in {own}")


if __name__ == "__main__":
    main()
