"""The command table, and the one place where failures become words and exit codes.

Exit codes: 0 done, 1 other failure, 2 wrong case or command line, 3 mesh, 4 results folder, 5 solver, 6 batch system,
70 fault of the program, 75 stopped by a signal and ready to go on, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import tomllib
import traceback
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Annotated

import click
import typer

from solver import mpi
from solver.cli import check, compare, doctor, materials, mesh, new, report, resume, run, schema, sweep
from solver.errors import VegardError

FAULT, INTERRUPTED = 70, 130
_DEBUG = "--debug"
# Absent when the command runs outside the environment that scripts/vegard makes.
_HEAVY_PACKAGES = ("dolfinx", "petsc4py", "mpi4py", "basix", "ufl", "ffcx", "gmsh", "pyvista", "vtk", "h5py")

app = typer.Typer(
    name="vegard",
    help="Stress in polycrystalline battery-cathode particles: a YAML case in, fields and crack-risk numbers out.",
    epilog="\b\nStart with:\n  vegard new my-case.yaml\n  vegard check my-case.yaml\n  vegard run my-case.yaml",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class PlainCommand(typer.core.TyperCommand):
    """A command whose help is plain text: typer escapes brackets for rich even where rich is not used."""

    def get_help(self, ctx: click.Context) -> str:
        """Text of the help page."""
        return super().get_help(ctx).replace("\\[", "[")


def _examples(lines: Iterable[str]) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


for module in (new, check, schema, mesh, run, resume, report, compare, materials, doctor):
    app.command(module.NAME, cls=PlainCommand, epilog=_examples(module.EXAMPLES))(module.command)

sweeps = typer.Typer(name=sweep.NAME, help=sweep.HELP, add_completion=False, rich_markup_mode=None)
for name, (function, lines) in sweep.COMMANDS.items():
    sweeps.command(name, cls=PlainCommand, epilog=_examples(lines))(function)
app.add_typer(sweeps)


def version() -> str:
    """Version of the installed package, or of the checkout the program runs from."""
    try:
        return metadata.version("vegard")
    except metadata.PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        return f"{tomllib.loads(project.read_text(encoding='utf-8'))['project']['version']} (checkout {project.parent})"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vegard {version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option(_DEBUG, help="Show the Python traceback of a failure.")] = False,
) -> None:
    pass


def execute(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: What follows `vegard`.

    Returns:
        Exit code; every failure has been explained on standard error.
    """
    debug = _DEBUG in arguments
    arguments = [argument for argument in arguments if argument != _DEBUG] or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 shows escapes rather than stopping the program
            stream.reconfigure(errors="backslashreplace")
    if mpi.launched_rank() > 0 and not {run.NAME, resume.NAME, compare.NAME}.intersection(arguments[:1]):
        return 0  # under mpirun only runs need every rank
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="vegard", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer makes an exit code of Ctrl-C
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        lines, exit_code = explain(error)
        if debug and not isinstance(error, click.ClickException):
            lines = [*traceback.format_exc().rstrip().splitlines(), *lines]
        return _report(lines, exit_code)


def explain(error: BaseException) -> tuple[list[str], int]:
    """Lines for the user and the exit code of a failure."""
    for kind, explanation in _EXPLANATIONS:
        if isinstance(error, kind):
            return explanation(error)
    return _fault(error)


def _report(lines: list[str], exit_code: int) -> int:
    if mpi.has_several_ranks():
        mpi.abort_all(lines, exit_code)
    if mpi.launched_rank() == 0:
        try:
            print("\n".join(lines), file=sys.stderr, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return exit_code


def _expected(error: BaseException) -> tuple[list[str], int]:
    assert isinstance(error, VegardError)
    return error.problems, error.exit_code


def _wrong_usage(error: BaseException) -> tuple[list[str], int]:
    assert isinstance(error, click.ClickException)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "vegard"
    return [f"{path}: {error.format_message()}", f'"{path} --help" explains it with examples'], 2


def _interrupted(error: BaseException) -> tuple[list[str], int]:
    return ["interrupted"], INTERRUPTED


def _pipe_closed(error: BaseException) -> tuple[list[str], int]:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return [], 0


def _out_of_memory(error: BaseException) -> tuple[list[str], int]:
    return ['the memory of this machine does not suffice; "vegard check CASE" estimates what a case needs'], 1


def _not_installed(error: BaseException) -> tuple[list[str], int]:
    assert isinstance(error, ModuleNotFoundError)
    name = (error.name or "").partition(".")[0]
    if name not in _HEAVY_PACKAGES:
        return _fault(error)
    return [f'{name} is not installed in this Python; call "scripts/vegard …", or see docs/installation.md'], 1


def _fault(error: BaseException) -> tuple[list[str], int]:
    text = " ".join(str(error).split())[:300]
    return [
        f"vegard failed unexpectedly: {type(error).__name__}: {text}"
        if text
        else f"vegard failed: {type(error).__name__}",
        "this is a fault of the program, not of your case; run again with --debug and report what it prints",
    ], FAULT


_EXPLANATIONS = (
    (VegardError, _expected),
    (click.ClickException, _wrong_usage),
    ((KeyboardInterrupt, click.Abort), _interrupted),
    (BrokenPipeError, _pipe_closed),
    (MemoryError, _out_of_memory),
    (ModuleNotFoundError, _not_installed),
)
