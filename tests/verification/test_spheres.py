"""Stress of spheres against closed forms: V3 under a parabola and under a held surface, V5 core and shell."""

from __future__ import annotations

import bars
from sphere_cases import (
    PEAK_STRESS,
    PEAK_TIME,
    centre_stress,
    core_shell_stress,
    falling,
    held_sphere_stress,
    particle_mesh_sphere,
    quasi_steady_sphere,
)


def test_quasi_steady_sphere_stress_v3():
    """Isotropic sphere, c = (r/R)²: σ_r = A(1 − r²/R²), σ_θ = A(1 − 2r²/R²), approached at second order."""
    results = {levels: quasi_steady_sphere(levels) for levels in (4, 7, 10)}
    bars.PARABOLA_RATE.check(falling(results).fitted)
    bars.PARABOLA_RMS.check(results[10].rms)
    bars.PARABOLA_LARGEST.check(results[10].largest_inside)


def test_stress_on_the_mesh_of_a_particle_v3(tmp_path):
    """The same on tetrahedra as the mesher makes them, surface included."""
    result = particle_mesh_sphere(0.45, store=tmp_path)
    assert result.unknowns < 150_000
    bars.PARTICLE_MESH.check(result.largest_of_cells)


def test_centre_maximum_of_a_held_sphere_v3():
    """Held surface: the centre stress peaks at 0.38557 EΩΔc/(3(1−ν)) at τ = 0.05741."""
    stresses = centre_stress(8, (0.045, PEAK_TIME, 0.07))
    assert stresses[1] == max(stresses)
    bars.PEAK.check(abs(stresses[1] / PEAK_STRESS - 1))


def test_stress_of_a_held_sphere_through_the_time_loop_v3():
    """Diffusion, eigenstrain and stress together: nothing in the chain is given but the surface."""
    result = held_sphere_stress(8)
    bars.CHAIN_RMS.check(result.rms)
    bars.CHAIN_LARGEST.check(result.largest_of_cells)


def test_core_shell_misfit_v5():
    """Two materials in a sphere: pressure in the core and hoop stress in the shell, 1 %."""
    result = core_shell_stress(10)
    bars.CORE.check(result.pressure_error)
    bars.SHELL.check(result.mean_hoop_error)
    bars.SHELL_POINTS.check(result.share_within)
