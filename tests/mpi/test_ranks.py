"""The same case on one, two and three ranks: every number of the history must agree to solver tolerance."""

from __future__ import annotations

import subprocess

import pytest
from rank_runs import (
    BOUNDARIES,
    COATED,
    GUARDS,
    LARGEST_DIFFERENCE,
    SECTION,
    SURROUNDED,
    history_differences,
    history_on,
)

from solver.mpi import launch_command


@pytest.mark.mpi
@pytest.mark.slow
def test_history_does_not_depend_on_the_number_of_ranks(tmp_path):
    alone = history_on(tmp_path, 1)
    for ranks in (2, 3):
        together = history_on(tmp_path, ranks)
        for guard in GUARDS:
            assert together.filter(regex=f"^{guard}").to_numpy().max() < 1e-6
        for column, difference in history_differences(alone, together).items():
            assert difference <= LARGEST_DIFFERENCE, column


@pytest.mark.mpi
@pytest.mark.slow
def test_history_of_a_section_does_not_depend_on_the_number_of_ranks(tmp_path):
    alone, together = (history_on(tmp_path, ranks, SECTION) for ranks in (1, 2))
    for column, difference in history_differences(alone, together).items():
        assert difference <= LARGEST_DIFFERENCE, column


@pytest.mark.mpi
@pytest.mark.slow
def test_history_of_a_coated_particle_does_not_depend_on_the_number_of_ranks(tmp_path):
    """Cells of the shell look for the grain below them on other ranks."""
    alone, together = (history_on(tmp_path, ranks, COATED) for ranks in (1, 2))
    assert alone.filter(regex="^coating_").notna().to_numpy().all()
    for column, difference in history_differences(alone, together).items():
        assert difference <= LARGEST_DIFFERENCE, column


@pytest.mark.mpi
@pytest.mark.slow
def test_history_of_a_pressed_shell_in_a_plastic_matrix_does_not_depend_on_the_number_of_ranks(tmp_path):
    """The outside of the shell is no outside here, and its facets have no side that comes first."""
    alone, together = (history_on(tmp_path, ranks, SURROUNDED) for ranks in (1, 2))
    assert alone["matrix_plastic_volume [-]"].max() > 0.05
    for column, difference in history_differences(alone, together).items():
        assert difference <= LARGEST_DIFFERENCE, column


@pytest.mark.mpi
@pytest.mark.slow
def test_history_with_boundaries_that_hinder_does_not_depend_on_the_number_of_ranks(tmp_path):
    """Grains have degrees of freedom of their own, also where the parts of two ranks meet."""
    alone, together = (history_on(tmp_path, ranks, BOUNDARIES) for ranks in (1, 2))
    assert alone["stoichiometry_jump_p95 [-]"].max() > 0.01
    assert together.filter(regex="^lithium_imbalance").to_numpy().max() < 1e-10
    for column, difference in history_differences(alone, together).items():
        assert difference <= LARGEST_DIFFERENCE, column


@pytest.mark.mpi
@pytest.mark.slow
def test_a_failure_on_one_rank_ends_all_with_one_message(tmp_path):
    """The mesh is made on rank 0 alone: the other ranks must not wait for it for ever."""
    case = tmp_path / "case.yaml"
    (tmp_path / "broken.msh").write_text("this is no mesh")
    case.write_text(
        "particle: {from_file: {path: broken.msh}}\nmaterial: NMC811\n"
        "electrochemistry: {protocol: [Charge at 1C for 1 min]}\n"
    )
    arguments = ["-m", "solver.cli", "run", str(case), "--output", str(tmp_path / "results"), "--quiet"]
    command, environment = launch_command(2, arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert "broken.msh" in done.stderr
    assert "Traceback" not in done.stderr
