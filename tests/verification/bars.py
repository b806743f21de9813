"""What the verification asks for: every limit once, with its reason. Tests check it, docs/verification.md prints it."""

from __future__ import annotations

from bar import SECOND_ORDER, Bar
from rank_runs import LARGEST_DIFFERENCE
from reaction_bars import *  # noqa: F403

_V1 = "test_diffusion.py::test_sphere_with_held_surface_v1"
HELD_PROFILE = Bar("profile, largest error at any vertex (20 cells)", 0.005, "0.5 % of the jump", _V1)
HELD_UPTAKE = Bar("lithium that entered, relative error (20 cells)", 0.005, "the same 0.5 %", _V1)
HELD_RATE = Bar("rate between 10 and 20 cells", 1.6, SECOND_ORDER, _V1, at_least=True)

_V2 = "test_diffusion.py::test_sphere_with_constant_flux_v2"
FLUX_PROFILE = Bar("profile, largest error at any vertex (20 cells)", 0.005, "0.5 % of its range", _V2)
FLUX_RATE = Bar("rate between 10 and 20 cells", 1.6, SECOND_ORDER, _V2, at_least=True)
FLUX_SPREAD = Bar("spread of x over the surface", 1e-12, "one potential: equal but for rounding", _V2)
LEAD = Bar(
    "quasi-steady lead of the surface, relative error (14 cells)",
    0.01,
    "a small difference of two large numbers: 1 %",
    "test_diffusion.py::test_quasi_steady_surface_to_mean_difference",
)

SPACE_RATE = Bar(
    "anisotropic decay: rate in cell size",
    1.8,
    "lumped P1 is of second order; 0.2 covers the coarse meshes",
    "test_diffusion.py::test_error_falls_with_the_square_of_the_cell_size",
    at_least=True,
)
TIME_RATE = Bar(
    "anisotropic decay: rate in step size",
    1.8,
    "BDF2 is of second order, and a single backward Euler step at the start keeps it",
    "test_diffusion.py::test_error_falls_with_the_square_of_the_step",
    at_least=True,
)
TOLERANCE = Bar(
    "error over requested tolerance, the worst of all",
    1.0,
    "what was asked for must be met",
    "test_diffusion.py::test_requested_tolerance_is_met",
)
BALANCE = Bar(
    "lithium imbalance (eq. 4.9)",
    1e-8,
    "linear solves stop at 1e-10 and a run takes tens of them",
    "test_diffusion.py::test_lithium_is_conserved",
)

_MMS = "test_elasticity.py::test_displacement_converges_at_third_order"
DISPLACEMENT_RATE = Bar("manufactured displacement: rate in L²", 2.8, "P2 is of third order", _MMS, at_least=True)
STRAIN_RATE = Bar("manufactured displacement: rate of strain", 1.85, "one order less", _MMS, at_least=True)

_V3 = "test_spheres.py::test_quasi_steady_sphere_stress_v3"
PARABOLA_RATE = Bar("rate of the root-mean-square error", 1.7, "strain of P2 is of second order", _V3, at_least=True)
PARABOLA_RMS = Bar("root-mean-square error (10 cells)", 0.005, "half a percent of the largest stress", _V3)
PARABOLA_LARGEST = Bar("largest error below 0.95 R (10 cells)", 0.02, "2 % at any point", _V3)
PARTICLE_MESH = Bar(
    "largest error at a centroid, mesh of a particle with 130 000 unknowns",
    0.016,
    "what P2 reaches on a good mesh of this size",
    "test_spheres.py::test_stress_on_the_mesh_of_a_particle_v3",
)
_PEAK = "test_spheres.py::test_centre_maximum_of_a_held_sphere_v3"
PEAK = Bar("largest stress in the centre, relative error (8 cells)", 0.005, "0.5 %", _PEAK)
_CHAIN = "test_spheres.py::test_stress_of_a_held_sphere_through_the_time_loop_v3"
CHAIN_RMS = Bar("lithium and stress in one run, root-mean-square error (8 cells)", 0.02, "follows that of x", _CHAIN)
CHAIN_LARGEST = Bar("the same, largest error at a centroid", 0.04, "steep lithium next to the surface", _CHAIN)

_V5 = "test_spheres.py::test_core_shell_misfit_v5"
CORE = Bar("mean stress of the core, largest deviation over p", 0.01, "1 %", _V5)
SHELL = Bar("mean hoop stress of the shell, relative error", 0.01, "1 %", _V5)
SHELL_POINTS = Bar(
    "share of the shell's points with hoop stress within 5 %", 0.95, "one cell across the shell", _V5, at_least=True
)

_V10 = "test_elasticity.py::test_laminate_v10"
IN_PLANE = Bar(
    "in-plane stress, largest error at any point in the middle", 0.01, "1 %; edges are four thicknesses away", _V10
)
OUT_OF_PLANE = Bar("stress across the layers, largest at any point in the middle", 0.01, "1 %; should vanish", _V10)

FREE_CRYSTAL = Bar(
    "free single crystal at uniform x: stress over clamped stress, over the solver's tolerance",
    20.0,
    "only the linear solver leaves anything",
    "test_elasticity.py::test_free_single_crystal_is_stress_free_v13",
)
ISOTROPIC_STRAIN = Bar(
    "polycrystal whose grains strain alike in all directions: the same ratio",
    20.0,
    "only the linear solver leaves anything",
    "test_elasticity.py::test_isotropic_strain_stresses_no_polycrystal_v13",
)
MEAN_STRESS = Bar(
    "∫σ dV of a polycrystal over ∫\\|σ\\| dV (eq. 4.9)",
    1e-8,
    "a hundred times the solver's tolerance",
    "test_elasticity.py::test_mean_stress_of_a_free_polycrystal_vanishes",
)
TURNING = Bar(
    "turning particle and crystal axes: stress against turned stress",
    1e-6,
    "both solves stop at 1e-10 of the load; room for the conditioning",
    "test_elasticity.py::test_turning_the_particle_turns_the_stress_v13",
)
MISMATCH = Bar(
    "mismatch stress by one scaled solution (eq. 2.7) against a solve at uniform x",
    1e-7,
    "both solves stop at 1e-10 of the load",
    "test_elasticity.py::test_mismatch_is_the_stress_at_uniform_lithium",
)
ONE_WAY = Bar(
    "one-way: change of x when the stiffness is ten times as large",
    1e-15,
    "nothing acts back",
    "test_elasticity.py::test_lithium_does_not_depend_on_the_stiffness_v13",
)
_DISC = "test_sections.py::test_lithium_in_a_disc"
DISC_PROFILE = Bar("disc, held or driven: profile, largest error at any vertex (20 cells)", 0.005, "0.5 %", _DISC)
DISC_RATE = Bar("its rate between 10 and 20 cells", 1.8, "second order; 0.2 for coarse meshes", _DISC, at_least=True)
_DISC_STRESS = "test_sections.py::test_stress_of_a_disc"
DISC_STRESS = Bar("stress of a disc, largest error at any point (20 cells)", 0.002, "0.2 % of the unit", _DISC_STRESS)
DISC_STRESS_RATE = Bar("rate of its root-mean-square error", 1.8, "strain of P2 is of second order", _DISC_STRESS, True)
DISC_FILM = Bar(
    "disc with a film on its rim: mean stress, largest deviation",
    1e-3,
    "the rim is a polygon of 160 sides",
    "test_sections.py::test_film_on_a_disc",
)
SECTION_LAMINATE = Bar(
    "laminate across the section: stress within the layers, largest error at any point in the middle",
    0.005,
    "0.5 %; the ends of the strip take part in the common stretch",
    "test_sections.py::test_laminate_across_the_section",
)
_SECTION_MMS = "test_sections.py::test_displacement_of_a_section_converges_at_third_order"
SECTION_RATE = Bar("manufactured displacement in three directions: rate in L²", 2.9, "P2", _SECTION_MMS, at_least=True)
SECTION_STRAIN_RATE = Bar("its strain: rate", 1.9, "one order less", _SECTION_MMS, at_least=True)
_SECTION_NULL = "test_sections.py::test_what_is_free_is_free_of_stress"
SECTION_CRYSTAL = Bar(
    "free crystal with an oblique axis, over clamped stress, over the solver's tolerance", 20.0, "as V13", _SECTION_NULL
)
SECTION_ISOTROPIC = Bar("polycrystal straining alike in all directions: the same ratio", 20.0, "as V13", _SECTION_NULL)
SECTION_FORCE = Bar(
    "∫σ dA of a polycrystal over ∫\\|σ\\| dA, axial force included where it may stretch",
    1e-8,
    "a hundred times the solver's tolerance",
    "test_sections.py::test_a_free_section_carries_no_force",
)
SECTION_MISMATCH = Bar(
    "mismatch stress (eq. 2.7) against a solve at uniform x",
    1e-7,
    "both solves stop at 1e-10 of the load",
    "test_sections.py::test_mismatch_of_a_section",
)
SECTION_RANKS = Bar(
    "section: indicators on 2 ranks against 1, as above",
    LARGEST_DIFFERENCE,
    "solves stop at 1e-10; room for the conditioning and for percentiles",
    "../mpi/test_ranks.py::test_history_of_a_section_does_not_depend_on_the_number_of_ranks",
)
RANKS = Bar(
    "indicators on 2 ranks against 1, largest difference over the largest value of its column",
    LARGEST_DIFFERENCE,
    "solves stop at 1e-10; room for the conditioning and for percentiles, which jump from cell to cell",
    "../mpi/test_ranks.py::test_history_does_not_depend_on_the_number_of_ranks",
)

_SHELL = "test_regions.py::test_coating_as_a_shell_v5"
COATING_SHELL = Bar("resolved shell: mean stress of the core, largest deviation over p", 0.01, "1 %", _SHELL)
_MEMBRANE = "test_regions.py::test_membrane_is_a_thin_shell"
MEMBRANE_CORE = Bar(
    "membrane against the exact shell, t/R = 0.004 to 0.02: mean stress of the core",
    0.015,
    "1.5 %; without the correction for curvature it is 2 %",
    _MEMBRANE,
)
MEMBRANE_HOOP = Bar("its hoop stress where the shell sits", 0.02, "a membrane carries no radial stress: t/R", _MEMBRANE)
MEMBRANE_RELEASE = Bar("its energy release rate", 0.04, "twice the error of the hoop stress", _MEMBRANE)
MEMBRANE_NORMAL = Bar("the traction below it, from the divergence of its tension", 0.015, "as the stress", _MEMBRANE)
FOLLOWING = Bar(
    "coating that strains and yields as the grain below, stress over clamped stress, over the solver's tolerance",
    50.0,
    "nothing disagrees; thin cells add a little",
    "test_regions.py::test_a_coating_like_its_grain_stresses_nothing",
)
_FILM = "test_regions.py::test_film_between_a_held_outside_and_a_sphere"
FILM_HELD = Bar(
    "film, outside held: profile, largest error at any vertex (14 cells)", 0.005, "0.5 % of the jump", _FILM
)
_DROP = "test_regions.py::test_current_through_films"
FILM_DROP = Bar("film, current given: drop of x across it, relative error", 0.001, "surface integrals are exact", _DROP)
FILM_BALANCE = Bar("lithium imbalance, film on all or half of the surface", 1e-8, "linear solves stop at 1e-10", _DROP)
_CAVITY = "test_regions.py::test_cavity_under_tension_v8"
CAVITY_EQUATOR = Bar("stress at the equator of a cavity, relative error", 0.03, "3 %", _CAVITY)
CAVITY_POLE = Bar("stress at its pole, relative error", 0.03, "3 %; a third as large as at the equator", _CAVITY)
OCTANT = Bar(
    "octant with planes of symmetry against the whole ball: largest difference of stress over the largest stress",
    1e-7,
    "the same cells; both solves stop at 1e-11",
    "test_regions.py::test_an_octant_is_an_eighth_of_the_ball",
)
POROUS_NULL = Bar(
    "porous polycrystal that strains alike in all directions: stress over clamped stress, over the tolerance",
    200.0,
    "only the linear solver leaves anything; edges of pores concentrate it",
    "test_regions.py::test_isotropic_strain_stresses_no_porous_particle",
)
_BULK = "test_regions.py::test_bulk_modulus_of_porous_balls"
HOLLOW_BULK = Bar(
    "bulk modulus of a concentric hollow ball over its Hashin-Shtrikman bound, deviation from 1",
    0.002,
    "the bound is exact for it; polyhedra for spheres",
    _BULK,
)
POROUS_BULK = Bar("bulk modulus of a ball with five pores over the bound", 1.0, "it must stay below", _BULK)
POROUS_STIFF = Bar(
    "the same, from below", 0.95, "separate round pores are the best there are but one", _BULK, at_least=True
)
_COMPOSITION = "test_regions.py::test_core_and_shell_of_other_sites_and_diffusivities"
COMPOSITION_RISE = Bar(
    "core and shell: quasi-steady rise of x, relative error (10 cells)", 0.015, "cells", _COMPOSITION
)
COMPOSITION_BALANCE = Bar("the same: lithium imbalance", 1e-8, "linear solves stop at 1e-10", _COMPOSITION)

PRESSED_CORE = Bar(
    "core in a matrix under pressure: mean stress, largest deviation over the pressure",
    0.005,
    "half a percent; polyhedra for spheres",
    "test_surroundings.py::test_core_in_a_pressed_matrix",
)
_HILL = "test_surroundings.py::test_hollow_sphere_beyond_yield"
HILL_STRESS = Bar(
    "hollow sphere beyond yield: radial stress, root-mean-square error over the yield strength (6 cells)",
    0.05,
    "coarse; 2 % and 1 % at 8 and 12 cells on finer spheres",
    _HILL,
)
HILL_REACH = Bar("radius of its plastic zone, relative error", 0.03, "a quarter of a cell", _HILL)
_BOND = "test_surroundings.py::test_bond_comes_off_and_closes"
BOND_TRACTION = Bar("bond of a shrinking core: mean traction, relative error", 0.04, "a sphere of 192 triangles", _BOND)
BOND_OPENING = Bar("opening after it came off, relative error", 0.06, "the same, and what the open layer pulls", _BOND)
BOND_LEFT = Bar("stress left in the core then, over the adhesion", 0.05, "stiffness left in the open layer", _BOND)
CONTACT_PRESSURE = Bar("pressure when it has swollen again, relative error", 0.03, "a sphere of 192 triangles", _BOND)

_BOUNDARY_BAR = "test_boundary_transport.py::test_steady_bar_across_a_boundary"
BOUNDARY_STEADY = Bar(
    "bar across a boundary: x, flux at both ends and their difference, largest error",
    1e-12,
    "P1 with a jump is exact; a direct solve",
    _BOUNDARY_BAR,
)
BOUNDARY_RATE = Bar(
    "two grains that settle, across, along and both at once: rate in cell size",
    1.85,
    "lumped P1 is of second order, jumps included",
    "test_boundary_transport.py::test_settling_is_of_second_order",
    at_least=True,
)
BOUNDARY_SETTLED = Bar(
    "the same, largest error of the amplitude (24 cells)",
    1e-3,
    "that of a P1 mode on this mesh",
    "test_boundary_transport.py::test_settling_is_of_second_order",
)
BOUNDARY_WEAK = Bar(
    "weak obstacle, k = 100 µm/s: largest difference of x from the continuous field",
    1e-5,
    "falls as 1/k",
    "test_boundary_transport.py::test_a_weak_obstacle_is_none",
)
BOUNDARY_BALANCE = Bar(
    "lithium imbalance with boundaries that hinder and carry",
    1e-10,
    "exact but for rounding",
    "test_boundary_transport.py::test_lithium_is_conserved_across_boundaries",
)

_COOL = "test_coefficients.py::"
COOLED_CRYSTAL = Bar(
    "free crystal that has cooled: stress over clamped stress, over the solver's tolerance",
    20.0,
    "only the linear solver leaves anything",
    _COOL + "test_a_crystal_cools_without_stress",
)
_COOL_PLATE = _COOL + "test_a_cooled_laminate_is_that_of_laminate_theory"
COOLED_IN_PLANE = Bar("cooled laminate: in-plane stress, largest deviation", 0.01, "1 %, as V10", _COOL_PLATE)
COOLED_OUT_OF_PLANE = Bar("its components that should vanish", 0.01, "the same", _COOL_PLATE)
COOLED_CORE = Bar(
    "core and shell of different expansion (V5): stress of the core, largest deviation over p",
    0.01,
    "1 %",
    _COOL + "test_core_and_shell_that_cool_differently_v5",
)
COOLED_COATING = Bar(
    "grain and coating that cool alike, as a shell and as a membrane: stress over clamped stress, over the tolerance",
    20.0,
    "only the linear solver leaves anything",
    _COOL + "test_grain_and_coating_that_cool_alike_do_not_stress_each_other",
)
COOLED_MISMATCH = Bar(
    "mismatch stress of a cooled polycrystal that softens (eq. 14.6) against a solve at uniform x",
    1e-7,
    "both solves stop at 1e-10 of the load",
    _COOL + "test_the_mismatch_part_holds_cooling_and_softening",
)
SOFTENED = Bar(
    "uniform x: stress of a polycrystal that softens against the constant one times eq. 2.6",
    1e-7,
    "both solves stop at 1e-10 of the load",
    _COOL + "test_uniform_lithium_softens_stress_in_proportion",
)
SOFTENED_CORE = Bar(
    "core and shell that soften differently (V5): as above",
    0.01,
    "1 %",
    _COOL + "test_core_and_shell_that_soften_differently_v5",
)
_GRADED = _COOL + "test_a_sphere_that_is_softer_in_its_core"
GRADED_ERROR = Bar(
    "sphere half as stiff in its core, x = (r/R)²: RMS error of stress against the radial equation (8 cells)",
    0.01,
    "1 % of the largest stress",
    _GRADED,
)
GRADED_RATE = Bar("rate between 4 and 8 cells", 1.8, SECOND_ORDER, _GRADED, at_least=True)
SOFTENED_WAY = Bar(
    "stress after a charge and a discharge against that of a fresh solver",
    1e-7,
    "both solves stop at 1e-10 of the load",
    _COOL + "test_softened_stress_does_not_depend_on_the_way",
)
STRAINED_FACTOR = Bar(
    "diffusivity of a crystal under pressure and under tension (eq. 14.3), relative error",
    1e-8,
    "the elastic solve stops at 1e-12 of the load",
    _COOL + "test_a_known_strain_gives_its_factor",
)
STRAINED_CHARGE = Bar(
    "lithium after a charge under pressure against one with diffusivities scaled by hand",
    1e-7,
    "what the solvers leave",
    _COOL + "test_a_charge_under_pressure_is_one_with_that_diffusivity",
)
STRAINED_RATE = Bar(
    "error in time of a charge whose diffusivity follows the strain: rate in step size",
    1.8,
    "eq. 14.4 keeps the second order",
    _COOL + "test_strain_at_the_end_of_a_step_is_known_to_second_order",
    at_least=True,
)

ALL: dict[str, Bar] = {name: item for name, item in globals().items() if isinstance(item, Bar)}
