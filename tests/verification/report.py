"""docs/verification.md and its figures, from the cases the tests judge: `scripts/verification`.

The page is the template next to this file with numbers filled in. A missed limit stops it before anything is written
over the page.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bars
import boundary_cases as boundaries
import coefficient_cases as coefficients
import course_cases as courses
import diffusion_cases as diffusion
import dolfinx
import elasticity_cases as elasticity
import numpy as np
import reaction_cases as reactions
import region_cases as regions
import section_cases as sections
import sphere_cases as spheres
import surroundings_cases as around
from petsc4py import PETSc
from rank_runs import SECTION, history_differences, history_on
from report_figures import Drawer
from runs import adaptive, fixed

from solver.solve.step_solver import even_flux, fast_reaction

TEMPLATE = Path(__file__).with_name("page.md")
PLACE = re.compile(r"\{\{(\w+)\}\}")

LEVELS = (5, 10, 20, 28)
LEAD_TAUS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
BALLS = (4, 7, 10, 14)
EDGES = (0.9, 0.7, 0.55, 0.45, 0.36, 0.3)
TESTED_EDGE = 0.45
CENTRE_TAUS = (0.02, 0.03, 0.04, 0.05, spheres.PEAK_TIME, 0.07, 0.085, 0.1, 0.12)
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
KINETICS = {"uniform-flux": False, "fast": True}


class Report:
    """Collects the numbers of the page and draws its figures."""

    def __init__(self, folder: Path) -> None:
        self.draw = Drawer(folder)
        self.reached: dict[str, float] = {}
        self.values: dict[str, str] = {}

    def reach(self, **numbers: float) -> None:
        """Notes numbers reached, by the names of their bars; a missed one stops the report."""
        for name, number in numbers.items():
            bars.ALL[name].check(number)
            self.reached[name] = number

    def lithium(self) -> None:
        """V1, V2 and the lead of the surface."""
        held = [diffusion.held_sphere(levels) for levels in LEVELS]
        driven = [diffusion.driven_sphere(levels) for levels in LEVELS]
        lead = diffusion.lead_of_surface(14, LEAD_TAUS)
        tested = LEVELS.index(20)
        self.reach(
            HELD_PROFILE=held[tested].error,
            HELD_UPTAKE=held[tested].uptake_error,
            HELD_RATE=_rate(held[tested - 1].error, held[tested].error),
            FLUX_PROFILE=driven[tested].error,
            FLUX_RATE=_rate(driven[tested - 1].error, driven[tested].error),
            FLUX_SPREAD=max(item.surface_spread for item in driven),
            LEAD=abs(lead[-1] / 0.2 - 1),
        )
        rows = [
            (str(item.levels), _percent(item.error), _percent(item.uptake_error), _percent(other.error))
            for item, other in zip(held, driven, strict=True)
        ]
        heads = ("cells along R", "V1 profile, worst vertex", "V1 lithium that entered", "V2 profile, worst vertex")
        self.values["lithium_table"] = _table(heads, rows)
        self.draw.lithium(held, driven, LEAD_TAUS, lead)

    def rates(self) -> None:
        """Decay in a box and a manufactured displacement."""
        space, steps = diffusion.decay_in_space((6, 12, 24, 48)), diffusion.decay_in_time((10, 20, 40, 80, 160))
        displacement, strains = elasticity.manufactured_errors((3, 6, 12, 18))
        # The tests stop at 24 cells, 80 steps and 12 cells.
        self.reach(
            SPACE_RATE=min(space.rates[:2]),
            TIME_RATE=min(steps.rates[:3]),
            DISPLACEMENT_RATE=displacement.rates[1],
            STRAIN_RATE=strains.rates[1],
        )
        self.draw.rates(space, steps, displacement, strains)

    def tolerance(self) -> None:
        """Error control and lithium balance."""
        outcomes = {
            name: [diffusion.outcome_of_tolerance(kind, tolerance) for tolerance in TOLERANCES]
            for name, kind in KINETICS.items()
        }
        balances = [diffusion.lithium_balance(kind) for kind in KINETICS.values()]
        shares = [item.share for items in outcomes.values() for item in items]
        self.reach(TOLERANCE=max(shares), BALANCE=max(max(item.imbalance, item.mean_error) for item in balances))
        rows = [
            (f"{first.asked:g}", *(text for item in (first, second) for text in _outcome_cells(item)))
            for first, second in zip(*outcomes.values(), strict=True)
        ]
        heads = ("tolerance", *(f"{name}: {what}" for name in KINETICS for what in ("error / tolerance", "steps")))
        self.values["tolerance_table"] = _table(heads, rows)
        self.draw.tolerance(outcomes)

    def sphere_stress(self) -> None:
        """V3 on nested spheres and on meshes of particles."""
        balls = {levels: spheres.quasi_steady_sphere(levels) for levels in BALLS}
        tested = {levels: item for levels, item in balls.items() if levels <= 10}
        held, centre = spheres.held_sphere_stress(8), spheres.centre_stress(8, CENTRE_TAUS)
        made = [spheres.particle_mesh_sphere(edge) for edge in EDGES]
        peak = centre[CENTRE_TAUS.index(spheres.PEAK_TIME)]
        self.reach(
            PARABOLA_RATE=spheres.falling(tested).fitted,
            PARABOLA_RMS=tested[10].rms,
            PARABOLA_LARGEST=tested[10].largest_inside,
            PEAK=abs(peak / spheres.PEAK_STRESS - 1),
            CHAIN_RMS=held.rms,
            CHAIN_LARGEST=held.largest_of_cells,
            PARTICLE_MESH=made[EDGES.index(TESTED_EDGE)].largest_of_cells,
        )
        rows = [
            (f"{edge:g}", _thousands(item.unknowns), *map(_percent, (item.largest_of_cells, item.rms)))
            for edge, item in zip(EDGES, made, strict=True)
        ]
        heads = ("edge [µm], R = 5 µm", "unknowns", "worst centroid", "root mean square")
        self.values["mesh_table"] = _table(heads, rows)
        self.draw.sphere_stress(balls, held, CENTRE_TAUS, centre)
        self.draw.particle_mesh(made, list(balls.values()), bars.PARTICLE_MESH.limit)

    def core_shell(self) -> None:
        """V5."""
        result = spheres.core_shell_stress(10)
        self.reach(CORE=result.pressure_error, SHELL=result.mean_hoop_error, SHELL_POINTS=result.share_within)
        self.values["core_pressure"] = f"{result.core_mean[:3].mean() / 1000:.5f}"
        self.draw.core_shell(result)

    def laminate(self) -> None:
        """V10."""
        results = {name: elasticity.laminate_stress(plate) for name, plate in elasticity.LAMINATES.items()}
        self.reach(
            IN_PLANE=max(item.in_plane_error for item in results.values()),
            OUT_OF_PLANE=max(item.out_of_plane for item in results.values()),
        )
        rows = [
            (name, str(number), *(f"{found:.1f} ({wanted:.1f})" for found, wanted in zip(*pair, strict=True)))
            for name, item in results.items()
            for number, pair in enumerate(zip(item.found, item.expected, strict=True), start=1)
        ]
        heads = ("crystals", "layer", "σ_xx [MPa]", "σ_yy [MPa]", "σ_xy [MPa]")
        cleaned = [tuple(cell.replace("-0.0", "0.0").replace("-", "−") for cell in row) for row in rows]
        self.values["laminate_table"] = _table(heads, cleaned)

    def nulls(self) -> None:
        """V13."""
        self.reach(
            FREE_CRYSTAL=max(elasticity.free_crystal_residue(tolerance) for tolerance in (1e-8, 1e-10)),
            ISOTROPIC_STRAIN=elasticity.isotropic_strain_residue(),
            MEAN_STRESS=elasticity.mean_stress(),
            TURNING=elasticity.turning_error(),
            MISMATCH=elasticity.mismatch_error(),
            ONE_WAY=elasticity.stiffness_on_lithium()[0],
        )

    def sections(self) -> None:
        """Two dimensions."""
        held, driven = ([disc(levels) for levels in (10, 20)] for disc in (sections.held_disc, sections.driven_disc))
        stresses = [sections.falling((5, 10, 20), way) for way in sections.WAYS.values()]
        laminates = [sections.section_laminate(plate) for plate in elasticity.LAMINATES.values()]
        displacement, strains = sections.manufactured_errors((4, 8, 16))
        self.reach(
            DISC_PROFILE=max(held[1].error, driven[1].error),
            DISC_RATE=min(_rate(coarse.error, fine.error) for coarse, fine in (held, driven)),
            DISC_STRESS=max(finest.largest for _, finest in stresses),
            DISC_STRESS_RATE=min(convergence.fitted for convergence, _ in stresses),
            DISC_FILM=max(sections.ring_error(way) for way in sections.WAYS.values()),
            SECTION_LAMINATE=max(max(item.in_plane_error, item.out_of_plane) for item in laminates),
            SECTION_RATE=displacement.rates[-1],
            SECTION_STRAIN_RATE=strains.rates[-1],
            SECTION_CRYSTAL=sections.askew_residue(may_differ=False),
            SECTION_ISOTROPIC=sections.askew_residue(may_differ=True),
            SECTION_FORCE=max(sections.mean_stress(way) for way in sections.WAYS.values()),
            SECTION_MISMATCH=max(sections.mismatch_error(way) for way in sections.WAYS.values()),
        )

    def surroundings(self) -> None:
        """Stack pressure, plastic matrix, limited bond."""
        sphere, bond = around.collapsing_sphere(3, 6), around.pulled_bond(2)
        self.reach(
            PRESSED_CORE=around.pressed_core(3),
            HILL_STRESS=sphere.rms,
            HILL_REACH=abs(sphere.reach - 1),
            BOND_TRACTION=bond.traction_error,
            BOND_OPENING=bond.opening_error,
            BOND_LEFT=bond.left,
            CONTACT_PRESSURE=bond.pressure_error,
        )

    def regions(self) -> None:
        """Coatings, films, pores, octants, compositions."""
        thin = [regions.membrane(thickness) for thickness in regions.THICKNESSES]
        films = [regions.film_drop(above) for above in regions.COVERS]
        cavity, bulk = regions.cavity(12), regions.porous_bulk()
        rise, imbalance = regions.composition_rise()
        self.reach(
            COATING_SHELL=regions.resolved_shell(10),
            MEMBRANE_CORE=max(item.core for item in thin),
            MEMBRANE_HOOP=max(item.hoop for item in thin),
            MEMBRANE_RELEASE=max(item.release for item in thin),
            MEMBRANE_NORMAL=max(item.normal for item in thin),
            FOLLOWING=max(regions.following(resolved) for resolved in (True, False)),
            FILM_HELD=regions.film_held(),
            FILM_DROP=films[0].drop,
            FILM_BALANCE=max(item.imbalance for item in films),
            CAVITY_EQUATOR=cavity.equator,
            CAVITY_POLE=cavity.pole,
            OCTANT=regions.octant_difference(),
            POROUS_NULL=regions.porous_null(),
            HOLLOW_BULK=abs(regions.hollow_bulk().ratio - 1),
            POROUS_BULK=bulk.ratio,
            POROUS_STIFF=bulk.ratio,
            COMPOSITION_RISE=rise,
            COMPOSITION_BALANCE=imbalance,
        )

    def reaction(self) -> None:
        """Surface reaction, ends of protocol steps, currents from tables."""
        cycle, waves = reactions.charge_hold_rest_discharge(), [courses.oscillating_sphere(cells) for cells in (5, 10)]
        charges = [courses.charge_of_a_ragged_table(settings) for settings in (adaptive(1e-3), fixed(100.0))]
        self.reach(
            REACTION_EVEN=reactions.even_surface_error(),
            REACTION_LIMITS=max(map(reactions.distance_to_limit, reactions.LIMITS)),
            END_VOLTAGE=cycle.voltage_miss,
            END_CURRENT=cycle.current_miss,
            REACTION_BALANCE=cycle.imbalance,
            NEWTON=cycle.newton,
            SINUSOID=waves[1].error,
            SINUSOID_RATE=_rate(waves[0].error, waves[1].error),
            COURSE_RATE=courses.oscillation_in_time((40, 80, 160)).fitted,
            COURSE_CHARGE=max(max(pair) for pair in charges),
        )

    def boundaries(self) -> None:
        """Lithium across and along grain boundaries."""
        steady = [boundaries.steady_bar(dimension) for dimension in (2, 3)]
        settling = [boundaries.settling_rates(name, (6, 12, 24)) for name in boundaries.LAWS]
        surfaces = (fast_reaction, even_flux, reactions.reacting(reactions.kinetics()))
        self.reach(
            BOUNDARY_STEADY=max(max(item.profile, item.flux, item.balance) for item in steady),
            BOUNDARY_RATE=min(min(item.rates) for item in settling),
            BOUNDARY_SETTLED=max(item.errors[-1] for item in settling),
            BOUNDARY_WEAK=boundaries.weak_obstacle(100.0).difference,
            BOUNDARY_BALANCE=max(boundaries.balance(surface) for surface in surfaces),
        )

    def coefficients(self) -> None:
        """Cooling, softening, diffusivity of a strained crystal."""
        plate, graded = coefficients.cooled_laminate("anisotropic"), coefficients.graded_sphere((4, 8))
        pressed = [coefficients.pressed_factor(pressure) for pressure in (2e3, -2e3)]
        self.reach(
            COOLED_CRYSTAL=coefficients.cooled_crystal_residue(1e-8),
            COOLED_IN_PLANE=plate.in_plane_error,
            COOLED_OUT_OF_PLANE=plate.out_of_plane,
            COOLED_CORE=coefficients.cooled_core_shell(10),
            COOLED_COATING=max(coefficients.cooled_coating_residue(resolved) for resolved in (True, False)),
            COOLED_MISMATCH=coefficients.mismatch_error()[0],
            SOFTENED=max(coefficients.softened_polycrystal(x) for x in (0.4, 0.2)),
            SOFTENED_CORE=coefficients.softened_core_shell(10),
            GRADED_ERROR=graded.errors[-1],
            GRADED_RATE=graded.rates[-1],
            SOFTENED_WAY=coefficients.way_dependence(),
            STRAINED_FACTOR=max(abs(found / expected - 1) for found, expected in pressed),
            STRAINED_CHARGE=coefficients.pressed_charge(),
            STRAINED_RATE=coefficients.lag_in_time((8, 16, 32)).rates[-1],
        )

    def ranks(self) -> None:
        """One rank against two."""
        with tempfile.TemporaryDirectory() as folder:
            differences = history_differences(*(history_on(Path(folder), ranks) for ranks in (1, 2)))
        with tempfile.TemporaryDirectory() as folder:
            flat = history_differences(*(history_on(Path(folder), ranks, SECTION) for ranks in (1, 2)))
        self.reach(RANKS=max(differences.values()), SECTION_RANKS=max(flat.values()))
        self.values["rank_columns"] = str(len(differences))

    def page(self) -> str:
        """The page; every bar and value must have its place."""
        petsc = ".".join(map(str, PETSc.Sys.getVersion()))
        values = self.values | {"versions": f"DOLFINx {dolfinx.__version__}, PETSc {petsc}"}
        values |= {name: item.row(f"{self.reached[name]:.3g}") for name, item in bars.ALL.items()}
        return PLACE.sub(lambda match: values.pop(match[1]), TEMPLATE.read_text(encoding="utf-8"))


def _rate(coarse: float, fine: float) -> float:
    return float(np.log2(coarse / fine))


def _outcome_cells(item: diffusion.ToleranceOutcome) -> tuple[str, str]:
    rejected = f" + {item.rejected} rejected" if item.rejected else ""
    return f"{item.share:.2f}", f"{item.accepted}{rejected}"


def _percent(value: float) -> str:
    return f"{100 * value:#.2g} %"


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Computes everything and writes page and figures."""
    parser = argparse.ArgumentParser(prog="scripts/verification", description=(__doc__ or "").split("\n")[0])
    docs = Path(__file__).parents[2] / "docs"
    parser.add_argument("--output", type=Path, default=docs, help="folder for the page; figures go to its figures/")
    folder: Path = parser.parse_args().output
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    report = Report(folder / "figures")
    parts: tuple[Callable[[], None], ...] = (
        report.nulls,
        report.sections,
        report.regions,
        report.boundaries,
        report.coefficients,
        report.reaction,
        report.surroundings,
        report.laminate,
        report.core_shell,
        report.rates,
        report.tolerance,
        report.lithium,
        report.sphere_stress,
        report.ranks,
    )
    for part in parts:
        start = time.perf_counter()
        part()
        print(f"{part.__name__}: {time.perf_counter() - start:.0f} s", flush=True)
    (folder / "verification.md").write_text(report.page(), encoding="utf-8")
    print(f"{folder / 'verification.md'} is written")


if __name__ == "__main__":
    main()
