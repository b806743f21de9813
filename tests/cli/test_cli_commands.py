"""Every command: what it prints, what it writes, its exit codes; failures are lines for a person, never tracebacks."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from solver.case.load import load_text
from solver.cli import check, doctor, materials, mesh, new, run, schema, sweep
from solver.cli.application import app, execute

COMMANDS = (new, check, schema, mesh, run, materials, doctor)
ROOT = Path(__file__).parents[2]


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False, **options
    )


def assert_accepted(line: str) -> None:
    """A command line whose command exists and whose options it knows; arguments are not looked at."""
    words = shlex.split(line.partition(">")[0].partition("|")[0])
    group = typer.main.get_command(app)
    name, *arguments = words[words.index("vegard") + 1 :]
    if name.startswith("-"):
        group.make_parser(click.Context(group)).parse_args([name])
        return
    assert name in group.commands, line
    command = group.commands[name]
    if isinstance(command, click.Group):
        command, *arguments = command.commands[arguments[0]], *arguments[1:]
    command.make_parser(click.Context(command)).parse_args(arguments)


class TestHelp:
    def test_lists_the_commands(self, vegard):
        for arguments in ([], ["--help"], ["-h"]):
            outcome = vegard(*arguments)
            assert outcome.code == 0
            assert all(f"\n  {command.NAME} " in outcome.out for command in COMMANDS)
            assert "..." not in outcome.out.partition("Commands:")[2], "a summary is too long for its line"

    @pytest.mark.parametrize("module", COMMANDS, ids=lambda module: module.NAME)
    def test_of_a_command_shows_examples_that_work(self, vegard, module):
        outcome = vegard(module.NAME, "--help")
        assert outcome.code == 0
        assert "\\" not in outcome.out
        for example in module.EXAMPLES:
            assert f"    {example}\n" in outcome.out
            assert_accepted(example)

    @pytest.mark.parametrize("name", sweep.COMMANDS)
    def test_of_a_command_of_sweeps_shows_examples_that_work(self, vegard, name):
        outcome = vegard("sweep", name, "--help")
        assert outcome.code == 0
        assert f"\n  {name} " in vegard("sweep", "--help").out
        for example in sweep.COMMANDS[name][1]:
            assert f"    {example}\n" in outcome.out
            assert_accepted(example)

    def test_loads_nothing_heavy(self):
        code = (
            "import sys; from solver.cli.application import execute; execute(['--help']); execute(['run', '--help']);"
            "heavy = {'numpy', 'scipy', 'pint', 'pydantic', 'ruamel', 'matplotlib', 'dolfinx', 'mpi4py', 'gmsh'};"
            "print('HEAVY', sorted(heavy & set(sys.modules)))"
        )
        assert "HEAVY []" in python("-c", code).stdout

    def test_version(self, vegard):
        outcome = vegard("--version")
        assert outcome.code == 0
        assert outcome.out.startswith("vegard 0.")

    def test_module_is_the_command(self):
        outcome = python("-m", "solver.cli", "--version")
        assert (outcome.returncode, outcome.stderr) == (0, "")
        assert outcome.stdout.startswith("vegard ")


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["chek", "case.yaml"], "No such command 'chek'"),
            (["check"], "Missing argument 'CASE'"),
            (["run", "--rank", "2", "case.yaml"], "--ranks"),
            (["run", "--ranks", "0", "case.yaml"], "0 is not in the range"),
            (["run", "--ranks", "two", "case.yaml"], "'two' is not a valid integer"),
            (["--wrong"], "No such option: --wrong"),
            (["materials", "--plot", "x.png"], "vegard materials NMC811 --plot"),
        ],
    )
    def test_mistakes_are_explained_with_exit_code_2(self, vegard, arguments, expected):
        outcome = vegard(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert expected in outcome.err
        assert '--help" explains it' in outcome.err
        assert "Traceback" not in outcome.err


class TestNewAndCheck:
    def test_new_then_check(self, vegard, tmp_path):
        outcome = vegard("new", "mine.yaml")
        assert (outcome.code, outcome.err) == (0, "")
        assert "vegard check mine.yaml" in outcome.out
        outcome = vegard("check", "mine.yaml")
        assert (outcome.code, outcome.err) == (0, "")
        assert "the case is right" in outcome.out

    def test_new_has_a_default_name_and_does_not_overwrite(self, vegard, tmp_path):
        assert vegard("new").code == 0
        (tmp_path / "my-case.yaml").write_text("precious")
        outcome = vegard("new")
        assert (outcome.code, outcome.out) == (4, "")
        assert "add --force" in outcome.err
        assert (tmp_path / "my-case.yaml").read_text() == "precious"
        assert vegard("new", "--force").code == 0
        assert "material:" in (tmp_path / "my-case.yaml").read_text()

    def test_check_prints_what_a_case_will_cost(self, vegard):
        out = vegard("check", "case.yaml").out
        for part in (
            "Charge at C/2 until 60 % SoC",
            "5 % to 60 % SoC",
            "66 min",
            "grains",
            "tetrahedra",
            "memory",
            "time",
        ):
            assert part in out
        assert "\x1b" not in out

    def test_check_meshes_and_solves_nothing(self):
        code = (
            "import sys; from solver.cli.application import execute; assert not execute(['check', 'cases/dense.yaml']);"
            "heavy = {'dolfinx', 'mpi4py', 'petsc4py', 'gmsh', 'pyvista', 'matplotlib'};"
            "print('HEAVY', sorted(heavy & set(sys.modules)))"
        )
        assert "HEAVY []" in python("-c", code, cwd=ROOT).stdout

    def test_problems_go_to_stderr_one_line_each(self, vegard, tmp_path):
        (tmp_path / "bad.yaml").write_text(
            "material: NMC811\nparticle: {radius: 5}\nelectrochemistry: {protocol: Rest}\n"
        )
        outcome = vegard("check", "bad.yaml")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.splitlines() == [
            'bad.yaml:2: particle.radius: 5 has no unit; write a length with a unit, such as "5 um"',
            'bad.yaml:3: electrochemistry.protocol[1]: "Rest" does not say how long; write "Rest for 10 min"',
        ]

    def test_warnings_do_not_fail(self, vegard, tmp_path):
        (tmp_path / "fast.yaml").write_text(
            "material: NMC811\nelectrochemistry: {protocol: Charge at 5C until 80 % SoC}\n"
        )
        outcome = vegard("check", "fast.yaml")
        assert outcome.code == 0
        assert outcome.err.startswith("warning: fast.yaml:2: electrochemistry.protocol[1]: the surface may run out")

    @pytest.mark.parametrize("command", ["check", "mesh", "run"])
    @pytest.mark.parametrize("name", ["absent.yaml", ".", "bad.yaml", "\udcff.yaml"])
    def test_every_command_refuses_what_is_no_case(self, vegard, tmp_path, command, name):
        (tmp_path / "bad.yaml").write_text("a: [")
        outcome = vegard(command, name)
        assert (outcome.code, outcome.out) == (2, "")
        assert len(outcome.err.splitlines()) == 1
        assert "Traceback" not in outcome.err


class TestSchema:
    def test_json(self, vegard):
        outcome = vegard("schema")
        assert outcome.out == (ROOT / "cases/schema/case.schema.json").read_text(encoding="utf-8")
        assert json.loads(outcome.out)["title"] == "Vegard case"

    def test_markdown(self, vegard):
        assert vegard("schema", "--markdown").out == (ROOT / "docs/cases.md").read_text(encoding="utf-8")

    def test_closed_pipe_is_no_failure(self):
        shell = f"'{sys.executable}' -m solver.cli schema | head -n 1; echo ${{PIPESTATUS[0]}}"
        outcome = subprocess.run(
            ["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
        )
        assert outcome.stdout.startswith("{")
        assert outcome.stderr == ""


class TestMaterials:
    def test_list(self, vegard):
        outcome = vegard("materials")
        assert (outcome.code, outcome.err) == (0, "")
        assert "NMC811" in outcome.out
        assert "\x1b" not in outcome.out

    def test_one_with_sources(self, vegard):
        out = vegard("materials", "NMC811").out
        assert "deBiasi2017" in out
        assert "-0.01" in out or "-3.79" in out

    def test_unknown_name(self, vegard):
        outcome = vegard("materials", "NMC81")
        assert (outcome.code, outcome.out) == (2, "")
        assert "NMC811" in outcome.err

    def test_plot_is_written_once(self, vegard, tmp_path):
        assert vegard("materials", "NMC811", "--plot", "curves.png").code == 0
        assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
        assert "add --force" in vegard("materials", "NMC811", "--plot", "curves.png").err
        assert vegard("materials", "NMC811", "--plot", "curves.png", "--force").code == 0
        assert "make it first" in vegard("materials", "NMC811", "--plot", "no/folder.png").err


class TestFailures:
    @pytest.fixture
    def failing(self, vegard, monkeypatch):
        def call(error: BaseException, *arguments: str):
            def fail(*_):
                raise error

            monkeypatch.setattr("solver.case.load.load_case", fail)
            return vegard(*arguments, "check", "case.yaml")

        return call

    def test_fault_of_the_program(self, failing):
        outcome = failing(ZeroDivisionError("division by zero"))
        assert (outcome.code, outcome.out) == (70, "")
        assert "ZeroDivisionError: division by zero" in outcome.err
        assert "run again with --debug" in outcome.err
        assert "Traceback" not in outcome.err

    def test_debug_shows_the_traceback(self, failing, vegard):
        outcome = failing(ZeroDivisionError("x"), "--debug")
        assert outcome.code == 70
        assert "Traceback" in outcome.err
        assert "test_cli_commands.py" in outcome.err

    def test_debug_is_accepted_behind_the_command_too(self, vegard):
        outcome = vegard("check", "absent.yaml", "--debug")
        assert outcome.code == 2
        assert "Traceback" in outcome.err

    def test_interrupt(self, failing):
        outcome = failing(KeyboardInterrupt())
        assert (outcome.code, outcome.err.strip()) == (130, "interrupted")

    def test_memory(self, failing):
        assert "vegard check CASE" in failing(MemoryError()).err

    def test_missing_package(self, failing):
        outcome = failing(ModuleNotFoundError("No module named 'dolfinx'", name="dolfinx"))
        assert outcome.code == 1
        assert "scripts/vegard" in outcome.err

    def test_own_module_missing_is_a_fault(self, failing):
        assert failing(ModuleNotFoundError("No module named 'solver.x'", name="solver.x")).code == 70


class TestDoctor:
    @pytest.mark.parametrize("code", [0, 1])
    def test_passes_the_verdict_on(self, vegard, monkeypatch, code):
        monkeypatch.setattr("solver.doctor.run_doctor", lambda: code)
        assert vegard("doctor").code == code


def test_readme_commands_exist():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    lines = [line.strip().removeprefix("$ ") for line in readme.read_text(encoding="utf-8").splitlines()]
    commands = [line.partition("#")[0] for line in lines if line.startswith(("scripts/vegard ", "vegard "))]
    assert any(line.startswith("scripts/vegard run") for line in commands)
    for line in commands:
        assert_accepted(line.replace("scripts/vegard", "vegard", 1))


def test_readme_cases_are_valid():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    blocks = [block.partition("```")[0] for block in readme.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    assert blocks, "the README shows a case"
    for block in blocks:
        load_text(block, ROOT / "cases/readme.yaml")


def test_execute_returns_codes_of_commands(vegard):
    assert execute(["schema"]) == 0
