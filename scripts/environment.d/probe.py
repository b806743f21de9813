"""What a Python has of what Vegard needs; run by scripts/environment with every Python it considers.

Prints one line: `ready KEY`, or `missing KEY REQUIREMENT...` (DOLFINx is there, these could be added in a virtual
environment), or `unsuitable REASON`. Looks at package metadata only, because importing DOLFINx takes a second.
Runs on any Python 3, so that an old one is named and not met with a syntax error.
"""

import os
import re
import sys


def numbers(version):
    """(0, 10, 0) of "0.10.0.post1": compared as numbers, since "0.9" > "0.10" as text."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[^\d.]", version)[0]))


def installed(name):
    """Version numbers of a distribution, or None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return numbers(version(name))
    except PackageNotFoundError:
        return None


def missing(requirements):
    """Those of `name>=version` that this Python does not fulfil."""
    absent = []
    for requirement in requirements:
        name, minimum = re.match(r"([\w.-]+)(?:>=([\d.]+))?", requirement).groups()
        found = installed(name)
        if found is None or found < numbers(minimum or "0"):
            absent.append(requirement)
    return absent


def main(pyproject):
    """Print the verdict on this Python."""
    if sys.version_info < (3, 11):
        return "unsuitable %s is Python %s, older than 3.11" % (sys.executable, sys.version.split()[0])
    import hashlib
    import tomllib
    from importlib.util import find_spec

    dolfinx = installed("fenics-dolfinx")
    if dolfinx is None or find_spec("dolfinx") is None:
        return "unsuitable no DOLFINx in " + sys.executable
    if dolfinx < (0, 9):
        return "unsuitable DOLFINx %s in %s is older than 0.9" % (".".join(map(str, dolfinx)), sys.executable)
    with open(pyproject, "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    absent = missing(project["dependencies"] + extras["pictures"] + extras["test"])
    if find_spec("gmsh") is None:
        absent.append("gmsh>=4.11")
    parts = [sys.executable, sys.version, str(dolfinx), find_spec("dolfinx").origin, os.environ.get("PETSC_DIR", "")]
    key = hashlib.sha256("\n".join(parts + absent).encode()).hexdigest()[:16]
    return " ".join(["missing" if absent else "ready", key, *absent])


print(main(sys.argv[1]))
