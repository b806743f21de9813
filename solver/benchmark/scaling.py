"""How a run spreads over ranks: one size on more and more of them, and sizes that grow with them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from solver.benchmark.phases import Measurement, measured_apart


def strong_table(tetrahedra: int, ranks: Sequence[int]) -> Table:
    """One size on several numbers of ranks."""
    measured = [measured_apart(tetrahedra, count, False) for count in ranks]
    return _table("Strong scaling: the same particle on more ranks", measured)


def weak_table(tetrahedra: int, ranks: Sequence[int]) -> Table:
    """The same size per rank on several numbers of ranks."""
    measured = [measured_apart(tetrahedra * count, count, False) for count in ranks]
    return _table("Weak scaling: particles that grow with the ranks", measured)


def _table(title: str, measured: Sequence[Measurement]) -> Table:
    """Wall time of a cold solve and processor time of the other phases, with the efficiency against the first."""
    table = Table(title=title)
    solve = ("cold solve, wall [s]", "its", "efficiency")
    for heading in (
        "ranks",
        "tetrahedra",
        "unknowns",
        *solve,
        "assembly [s]",
        "set-up [s]",
        "MB per rank",
        "kB per unknown",
    ):
        table.add_column(heading, justify="right")
    first = measured[0]
    for one in measured:
        # Unknowns solved for per second and rank, against the first line: the sizes asked for are met only roughly.
        rate = one.unknowns / one.cold_solve_wall_s / one.ranks
        efficiency = rate / (first.unknowns / first.cold_solve_wall_s / first.ranks)
        table.add_row(
            f"{one.ranks}",
            f"{one.tetrahedra}",
            f"{one.unknowns}",
            f"{one.cold_solve_wall_s:.2f}",
            f"{one.cold_iterations}",
            f"{efficiency:.2f}",
            f"{one.assembly_s:.2f}",
            f"{one.set_up_s:.2f}",
            f"{one.peak_memory_MB / one.ranks:.0f}",
            f"{1e3 * one.peak_memory_MB / one.unknowns:.2f}",
        )
    return table
