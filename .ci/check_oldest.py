"""The versions that are imported are the lower bounds in the package's metadata; torch is newer."""

import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.version import Version

wrong = []
for line in metadata.requires("sklearn_afm"):
    requirement = Requirement(line)
    bounds = [Version(s.version) for s in requirement.specifier if s.operator == ">="]
    if not bounds or requirement.name == "torch":
        continue
    found = Version(metadata.version(requirement.name))
    if found != bounds[0]:
        wrong.append(f"{requirement.name} {found}, but the bound is {bounds[0]}")
sys.exit("; ".join(wrong) or 0)
