"""The scripts that find or make the environment, with small stand-ins for the programs that do the long work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PARTS = CHECKOUT / "scripts" / "environment.d"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the private root is for Linux")


def shell(script: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Run bash with the parts of the environment script loaded."""
    loaded = "".join(f". {part}; " for part in sorted(PARTS.glob("*.sh")) if part.name != "bootstrap.sh")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("VEGARD")}
    settings |= {name: str(value) for name, value in ({"parts": PARTS, "checkout": CHECKOUT} | variables).items()}
    command = ["bash", "-c", f"set -euo pipefail; {loaded}\n{script}"]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("version", "minimum", "enough"),
    [
        ("0.9.0", "0.10", False),
        ("0.10.0", "0.9", True),
        ("1:0.9.0-11", "0.9", True),
        ("1:0.5.2-2+b1", "0.9", False),
        ("0.11.0.post0", "0.9", True),
        ("13", "13", True),
        ("24.04", "25.04", False),
        ("09.1", "9.0", True),
        ("(none)", "0.9", False),
        ("", "0.9", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, minimum: str, enough: bool) -> None:
    assert (shell(f"version_at_least '{version}' '{minimum}'").returncode == 0) is enough


DEB822 = "Types: deb\n# URIs: http://old.example/debian\nURIs: https://mirror.example/pub/debian/\nSuites: bookworm\n"
SECURITY = "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\n"


@pytest.mark.parametrize(
    ("files", "mirror"),
    [
        ({"sources.list.d/debian.sources": SECURITY + "\n" + DEB822}, "https://mirror.example/pub/debian/"),
        ({"sources.list": "deb [arch=amd64] http://one.example/debian bookworm main\n"}, "http://one.example/debian"),
        ({"sources.list": "# deb http://off.example/debian x main\n", "sources.list.d/o.sources": SECURITY}, ""),
        ({"sources.list": "deb http://one.example/ubuntu noble main\n"}, ""),
        ({"sources.list.d/unused.list.disabled": "deb http://off.example/debian x main\n"}, ""),
        ({}, ""),
    ],
)
def test_the_mirror_is_that_of_the_machine(tmp_path: Path, files: dict[str, str], mirror: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    result = shell(f"debian_mirror {tmp_path}")
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, mirror, "")


def test_the_folder_is_named_after_its_packages_in_any_order(tmp_path: Path) -> None:
    def key(text: str) -> str:
        (tmp_path / "debian-packages.txt").write_text(text)
        return shell("root_key", parts=tmp_path).stdout

    (tmp_path / "debian-packages-root.txt").write_text("slurmd\n")
    first = key("gcc\n# a comment\nxvfb\n")
    assert len(first.strip()) == 16
    assert key("xvfb  # another\n\ngcc\n") == first
    assert key("xvfb\n") != first
    (tmp_path / "debian-packages-root.txt").write_text("")
    assert key("gcc\nxvfb\n") != first


def test_what_an_interrupted_set_up_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    work = tmp_path / "root-work.abcdef"
    other = tmp_path / "precious"
    for folder in ("root-0123.new.77/usr/lib", "root-work.abcdef/x", "root-0123/usr", "precious/x"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "root-0123.new.77" / "usr").chmod(0o555)
    (tmp_path / "root-0123.work").write_text(f"{work}\n")
    (tmp_path / "root-4567.work").write_text(f"{other}\n")
    result = shell("root_remove_leftovers", cache=tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious", "root-0123"]
    assert "interrupted" in result.stderr


def test_of_older_folders_the_last_used_one_is_kept(tmp_path: Path) -> None:
    current = shell("root_key").stdout.strip()
    for age, name in enumerate((current, "a" * 16, "b" * 16, "c" * 16)):
        (tmp_path / f"root-{name}").mkdir()
        used = tmp_path / f"root-{name}.used"
        used.touch()
        os.utime(used, (1e9 - age, 1e9 - age))
    with subprocess.Popen(["flock", "-s", tmp_path / f"root-{'c' * 16}.used", "cat"], stdin=subprocess.PIPE) as program:
        time.sleep(0.3)
        result = shell("root_remove_old", cache=tmp_path)
        program.communicate()
    assert result.returncode == 0, result.stderr
    left = {path.name[5] for path in tmp_path.iterdir() if path.is_dir() and path.name != f"root-{current}"}
    assert left == {"a", "c"}  # the newest of them, and one that is in use


def test_an_abandoned_compilation_is_cleared_unless_somebody_is_at_work(tmp_path: Path) -> None:
    folder = tmp_path / "jit-key" / "0.9.0-abc"
    folder.mkdir(parents=True)
    finished, abandoned = folder / "libffcx_forms_1.c", folder / "libffcx_forms_2.c"
    for file in (finished, abandoned, finished.with_suffix(".c.cached")):
        file.touch()
    with subprocess.Popen(["flock", "-s", tmp_path / "key.used", "cat"], stdin=subprocess.PIPE) as other:
        while not (tmp_path / "key.used").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        shell("open_jit_cache key", cache=tmp_path)
        assert abandoned.exists()
        other.communicate()
    shell("open_jit_cache key", cache=tmp_path)
    assert finished.exists()
    assert not abandoned.exists()


def probe(tmp_path: Path, pyproject: str, packages: dict[str, str]) -> str:
    """Verdict on a Python that has these distributions only."""
    for name, version in packages.items():
        module = tmp_path / name.replace("fenics-", "").replace("-", "_")
        module.mkdir()
        (module / "__init__.py").touch()
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    file = tmp_path / "pyproject.toml"
    file.write_text(pyproject)
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-S", PARTS / "probe.py", file]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout.strip()


PROJECT = """[project]
dependencies = ["rich>=13"]
[project.optional-dependencies]
pictures = ["pyvista>=0.44"]
test = ["pytest>=8"]
"""


@pytest.mark.parametrize(
    ("packages", "verdict"),
    [
        ({}, "unsuitable no DOLFINx"),
        ({"fenics-dolfinx": "0.8.0"}, "older than 0.9"),
        ({"fenics-dolfinx": "0.10.0", "gmsh": "4.13", "rich": "13.9", "pyvista": "0.45", "pytest": "10"}, "ready"),
        ({"fenics-dolfinx": "0.9.0", "gmsh": "4.13", "rich": "9.0", "pyvista": "0.45"}, "rich>=13 pytest>=8"),
        ({"fenics-dolfinx": "0.9.0", "rich": "14", "pyvista": "0.44", "pytest": "8"}, "gmsh>=4.11"),
    ],
)
def test_a_python_is_judged_by_its_packages(tmp_path: Path, packages: dict[str, str], verdict: str) -> None:
    assert verdict in probe(tmp_path, PROJECT, packages)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout of its own, on a machine that has no DOLFINx, no conda and no packages to offer.

    bwrap is replaced by a program that runs the command in place, mmdebstrap by one that fills a folder slowly.
    """
    scripts = tmp_path / "checkout" / "scripts"
    shutil.copytree(CHECKOUT / "scripts", scripts)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path / "checkout")
    shutil.copy(CHECKOUT / "environment.yml", tmp_path / "checkout")
    (scripts / "environment.d" / "probe.py").write_text("print('unsuitable none in this test')\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    texts = {
        "bwrap": 'while [ "$1" != /usr/bin/env ] && [ "$1" != true ]; do shift; done; "$@"',
        "mmdebstrap": 'echo "I: installing remaining packages"; eval "folder=\\${$(($# - 1))}"; sleep "${SLOW:-0}"; '
        '[ "$folder" = - ] && exec tar -cf - -T /dev/null; mkdir -p "$folder/etc" "$folder/dev"',
        "unshare": 'while [ "$1" != mmdebstrap ]; do shift; done; exec "$@"',
        "apt-cache": 'echo "  Candidate: 1:0.5.2-2"',
        "newuidmap": "exit 0",
        "python3": f'case "$*" in *"import dolfinx"*) exit 0 ;; esac; exec {sys.executable} "$@"',
    }
    for name, text in texts.items():
        (programs / name).write_text(f"#!/bin/bash\n{text}\n")
        (programs / name).chmod(0o755)
    # The checks of the machine itself are not what these tests are about.
    part = scripts / "environment.d" / "root.sh"
    part.write_text(part.read_text() + "root_missing_tools() { :; }\nfree_space() { echo 9999; }\nid() { echo 0; }\n")
    enter = scripts / "environment.d" / "enter.sh"
    enter.write_text(enter.read_text().replace("export PATH=", "export PATH=" + f"{programs}:"))
    return tmp_path


def start(machine: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    foreign = ("VEGARD", "OMPI", "PMI", "SLURM")
    settings = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    settings |= {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "VEGARD_CACHE": str(machine / "cache")} | variables
    command = [machine / "checkout" / "scripts" / "environment", *arguments]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    return subprocess.Popen(command, env=settings, stdin=nothing, stdout=pipe, stderr=pipe, text=True, cwd=machine)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def roots(machine: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in (machine / "cache").glob("root-*") if path.is_dir())


def test_the_first_call_builds_and_the_second_does_not(machine: Path) -> None:
    status, output, errors = finish(start(machine, "echo", "hello"))
    assert (status, output) == (0, "hello\n"), errors
    assert "making a private Debian" in errors
    status, output, errors = finish(start(machine, "bash", "-c", "exit 7"))
    assert (status, errors) == (7, "")
    assert roots(machine) == ["root"]


def test_a_call_during_the_set_up_waits_for_it(machine: Path) -> None:
    first = start(machine, "echo", "one", SLOW="2")
    time.sleep(1.0)
    second = finish(start(machine, "echo", "two", SLOW="2"))
    assert finish(first)[:2] == (0, "one\n")
    assert second[:2] == (0, "two\n")
    assert "waiting for it to finish" in second[2]
    assert "making a private Debian" not in second[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_set_up_is_begun_anew(machine: Path, number: signal.Signals) -> None:
    process = start(machine, "echo", "hello", SLOW="30")
    while not list((machine / "cache").glob("root-*.work")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    status, _, errors = finish(process)
    assert status == (128 + number if number == signal.SIGTERM else -number)
    assert not list((machine / "cache").glob("root-*/.vegard-ready"))
    if number == signal.SIGTERM:
        assert "interrupted" in errors
        assert roots(machine) == []
    status, output, errors = finish(start(machine, "echo", "hello"))
    assert (status, output) == (0, "hello\n"), errors
    assert roots(machine) == ["root"]


def test_a_set_up_that_fails_says_why_and_leaves_nothing(machine: Path) -> None:
    (machine / "bin" / "mmdebstrap").write_text("#!/bin/bash\necho 'E: no network here' >&2\nexit 1\n")
    status, output, errors = finish(start(machine, "echo", "hello"))
    assert (status, output) == (3, "")
    assert "E: no network here" in errors
    assert "no micromamba, mamba or conda" in errors
    assert roots(machine) == []


def test_conda_comes_before_the_private_root(machine: Path) -> None:
    """A stand-in for micromamba, so what is shown is the order and the calls, not that conda-forge can solve them."""
    conda = machine / "bin" / "micromamba"
    conda.write_text(
        '#!/bin/bash\n[ "$1" = create ] || exit 1\nwhile [ "$1" != --prefix ]; do shift; done\n'
        'mkdir -p "$2/bin" "$2/etc/conda/activate.d"; printf "#!/bin/bash\\nexit 0\\n" >"$2/bin/python3"\n'
        'chmod +x "$2/bin/python3"; echo "export FROM_CONDA=$2" >"$2/etc/conda/activate.d/x.sh"\n'
    )
    conda.chmod(0o755)
    status, output, errors = finish(start(machine, "bash", "-c", 'echo "$FROM_CONDA $CONDA_PREFIX"'))
    assert status == 0, errors
    folder = next((machine / "cache").glob("conda-*/"))
    assert output == f"{folder} {folder}\n"
    assert roots(machine) == []


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"VEGARD_ENVIRONMENT": "docker"}, "none of current, conda, apt, root"),
        ({"VEGARD_ENVIRONMENT": "conda"}, "no micromamba, mamba or conda"),
        ({"VEGARD_CACHE": "/proc/nowhere"}, "cannot write to the cache folder"),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "--ranks"),
    ],
)
def test_what_cannot_work_is_refused_in_words(machine: Path, variables: dict[str, str], words: str) -> None:
    status, output, errors = finish(start(machine, "echo", "hello", **variables))
    assert status in {2, 3}
    assert output == ""
    assert words in errors


ENDS_WITH_NINE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print(1, flush=True)
time.sleep(30)
"""


def test_a_signal_reaches_the_command(machine: Path) -> None:
    finish(start(machine, "--setup"))
    process = start(machine, sys.executable, "-c", ENDS_WITH_NINE)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 9


@pytest.mark.parametrize("name", ["environment", "vegard", "test", "lint", "../.ci/run"])
def test_the_scripts_are_executable_bash(name: str) -> None:
    script = CHECKOUT / "scripts" / name
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
