"""Mesh many random particles and print how it went: successes, worst element quality, volumes, times.

Seeds run through spreads of 0, 10, 20, 30, 40 % and through 0 to 3 relaxation sweeps.

    scripts/mesh_reliability --grains 100 --seeds 200
    scripts/mesh_reliability --grains 1000 --seeds 20 --csv campaign.csv
    scripts/mesh_reliability --grains 100 --seeds 50 --pores gp-ncm
    scripts/mesh_reliability --grains 100 --seeds 100 --section
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from meshes.carved import CARVED_SICN
from meshes.dense import mesh_particle
from meshes.designs import Pores
from meshes.errors import MeshError
from meshes.particle import Grains, Particle
from meshes.particle_mesh import GRAIN_BOUNDARY, all_facets, enclosed_volume, facet_areas, grain_volumes
from meshes.porous import porous_particle
from meshes.power_diagram import cell_measures, power_diagram
from meshes.quality import check_mesh, measure_quality
from meshes.section import mesh_section
from meshes.spheroid import Spheroid

SPREADS = (0.0, 0.1, 0.2, 0.3, 0.4)
RELAXATIONS = (0, 1, 2, 3)
POROSITY_BAR, SHELL_BAR = 0.0015, 0.010
SECTION_SICN = 0.3


@dataclass(frozen=True)
class Outcome:
    """One mesh of the campaign; good means sound, complete, and of the promised quality."""

    grains: int
    seed: int
    spread: float
    relaxation: int
    good: bool
    attempts: int = 0
    cells: int = 0
    sicn: float = 0.0
    dihedral: float = 0.0
    crowded_facets: int = 0
    volume_error: float = 0.0
    balance: float = 0.0
    boundary_error: float = 0.0
    size_error: float = 0.0
    porosity_error: float = 0.0
    shell_error: float = 0.0
    seconds: float = 0.0
    remark: str = ""


def mesh_one(grains: int, seed: int, aspect_ratio: float) -> Outcome:
    """Mesh one particle and measure it."""
    spread = SPREADS[seed % len(SPREADS)]
    relaxation = RELAXATIONS[seed // len(SPREADS) % len(RELAXATIONS)]
    described = Grains(count=grains, spread=spread, relaxation=relaxation, seed=seed)
    start = time.perf_counter()
    remarks: list[str] = []
    try:
        dense = mesh_particle(Particle(aspect_ratio=aspect_ratio, grains=described), remarks.append)
    except MeshError as error:
        return Outcome(grains, seed, spread, relaxation, good=False, remark=str(error).replace("\n", "; "))
    seconds = time.perf_counter() - start
    volumes = grain_volumes(dense.mesh)
    domain = Spheroid(5.0, aspect_ratio)
    smooth = domain.volume
    boundary_area = float(facet_areas(dense.mesh)[dense.mesh.facet_tags == GRAIN_BOUNDARY].sum())
    diagram = power_diagram(dense.seeds.positions, dense.seeds.weights, domain)
    exact_area = float(cell_measures(diagram, domain).areas.sum()) if grains > 1 else 1.0
    deviation = volumes / volumes.sum() * smooth / dense.seeds.target_volumes - 1.0
    return Outcome(
        grains,
        seed,
        spread,
        relaxation,
        good=dense.quality.is_good and len(volumes) == grains,
        attempts=dense.attempts,
        cells=len(dense.mesh.cells),
        sicn=dense.quality.minimum_sicn,
        dihedral=dense.quality.minimum_dihedral,
        crowded_facets=int((all_facets(dense.mesh.cells).uses > 2).sum()),
        volume_error=float(volumes.sum() / smooth - 1.0),
        boundary_error=boundary_area / exact_area - 1.0 if grains > 1 else 0.0,
        balance=abs(float(volumes.sum()) / enclosed_volume(dense.mesh) - 1.0),
        size_error=float(np.sqrt(np.mean(deviation**2))),
        seconds=seconds,
        remark="; ".join(remark for remark in remarks if "trying again" in remark),
    )


def mesh_flat(grains: int, seed: int, aspect_ratio: float, law: str | None) -> Outcome:
    """Mesh one cross-section and measure it; good also means that its porosity is the one asked for."""
    spread, relaxation = SPREADS[seed % len(SPREADS)], RELAXATIONS[seed // len(SPREADS) % len(RELAXATIONS)]
    described = Grains(count=grains, spread=spread, relaxation=relaxation, seed=seed)
    particle = Particle.model_validate({"dimension": 2, "aspect_ratio": aspect_ratio, "grains": described})
    start = time.perf_counter()
    try:
        pores = None if law is None else Pores.model_validate({"law": law})
        body = mesh_section(particle.model_copy(update={"pores": pores}), _silent)
    except MeshError as error:
        return Outcome(grains, seed, spread, relaxation, good=False, remark=str(error).replace("\n", "; "))
    seconds, mesh = time.perf_counter() - start, body.mesh
    quality = measure_quality(mesh.points, mesh.cells, mesh.grain)
    data = body.sections[0].data if law else {"shell_porosity": [0.0], "shell_porosity_asked": [0.0]}
    shells = np.abs(np.subtract(data["shell_porosity"], data["shell_porosity_asked"])).max()
    total = data.get("porosity", 0.0) - data.get("porosity_asked", 0.0)
    return Outcome(
        grains,
        seed,
        spread,
        relaxation,
        good=bool(abs(total) < POROSITY_BAR and shells < SHELL_BAR and quality.minimum_sicn > SECTION_SICN),
        attempts=body.attempts,
        cells=len(mesh.cells),
        sicn=quality.minimum_sicn,
        dihedral=quality.minimum_dihedral,
        crowded_facets=int((all_facets(mesh.cells).uses > 2).sum()),
        volume_error=float(grain_volumes(mesh).sum() / (body.volume_asked or 1.0) - 1.0),
        balance=abs(float(grain_volumes(mesh).sum()) / enclosed_volume(mesh) - 1.0),
        porosity_error=total,
        shell_error=float(shells),
        seconds=seconds,
    )


def mesh_porous(grains: int, seed: int, law: str) -> Outcome:
    """Mesh one porous particle and measure it; good also means that its porosity is the one asked for."""
    described = {"pores": {"law": law}, "grains": {"count": grains, "seed": seed}}
    start = time.perf_counter()
    try:
        body = porous_particle(Particle.model_validate(described), _silent)
        check_mesh(body.mesh)
    except MeshError as error:
        return Outcome(grains, seed, 0.3, 2, good=False, remark=str(error).replace("\n", "; "))
    seconds = time.perf_counter() - start
    quality = measure_quality(body.mesh.points, body.mesh.cells, body.mesh.grain)
    pores = body.sections[0].data
    shells = np.subtract(pores["shell_porosity"], pores["shell_porosity_asked"])
    total = pores["porosity"] - pores["porosity_asked"]
    met = abs(total) < POROSITY_BAR and np.abs(shells).max() < SHELL_BAR
    return Outcome(
        grains,
        seed,
        0.3,
        2,
        good=bool(met and quality.minimum_sicn > CARVED_SICN and body.mesh.grain_count == grains),
        attempts=body.attempts,
        cells=len(body.mesh.cells),
        sicn=quality.minimum_sicn,
        dihedral=quality.minimum_dihedral,
        balance=abs(float(grain_volumes(body.mesh).sum()) / enclosed_volume(body.mesh) - 1.0),
        porosity_error=total,
        shell_error=float(np.abs(shells).max()),
        seconds=seconds,
        remark="; ".join(body.notes),
    )


def _silent(line: str) -> None:
    """Progress that nobody listens to."""


def summary(outcomes: list[Outcome]) -> str:
    """A table row per figure."""
    good = [outcome for outcome in outcomes if outcome.good]
    lines = [f"grains {outcomes[0].grains}: {len(good)} of {len(outcomes)} good"]
    if good:
        lines += [
            f"  at the first attempt   {sum(outcome.attempts == 1 for outcome in good)}",
            f"  cells (median)         {np.median([outcome.cells for outcome in good]):.0f}",
            f"  smallest SICN          {min(outcome.sicn for outcome in good):.3f}",
            f"  smallest dihedral      {min(outcome.dihedral for outcome in good):.2f} degrees",
            f"  facets in > 2 cells    {sum(outcome.crowded_facets for outcome in good)}",
            f"  volume error (worst)   {100 * max(abs(outcome.volume_error) for outcome in good):.2f} %",
            f"  volume balance (worst) {max(outcome.balance for outcome in good):.1e}",
            f"  boundary area (worst)  {100 * max(abs(outcome.boundary_error) for outcome in good):.2f} %",
            f"  grain sizes off (rms)  {100 * np.median([outcome.size_error for outcome in good]):.1f} % median, "
            f"{100 * max(outcome.size_error for outcome in good):.1f} % worst",
            f"  porosity (worst)       {100 * max(abs(outcome.porosity_error) for outcome in good):.2f} % off in all, "
            f"{100 * max(outcome.shell_error for outcome in good):.2f} % in a shell",
            f"  time                   {np.median([outcome.seconds for outcome in good]):.1f} s median, "
            f"{max(outcome.seconds for outcome in good):.1f} s worst",
        ]
    return "\n".join(lines)


def run_campaign(grains: int, seeds: range, aspect_ratio: float, law: str | None, flat: bool) -> list[Outcome]:
    """Mesh one number of grains with many seeds; tells about those that were not good at once, and sums up."""
    outcomes = []
    for seed in seeds:
        if flat:
            outcomes.append(mesh_flat(grains, seed, aspect_ratio, law))
        else:
            outcomes.append(mesh_porous(grains, seed, law) if law else mesh_one(grains, seed, aspect_ratio))
        if not outcomes[-1].good or outcomes[-1].attempts > 1:
            print(f"  seed {seed}: attempts {outcomes[-1].attempts}: {outcomes[-1].remark}", flush=True)
    print(summary(outcomes), flush=True)
    return outcomes


def main() -> int:
    """Run campaigns; the exit code is 1 if any mesh is missing or poor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grains", type=int, nargs="+", default=[100], help="numbers of grains")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds per number of grains")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--aspect-ratio", type=float, default=1.0, help="polar over equatorial diameter")
    parser.add_argument("--pores", help="a porosity law: mesh porous particles")
    parser.add_argument("--section", action="store_true", help="mesh cross-sections")
    parser.add_argument("--csv", type=Path, help="write every outcome to this file")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    outcomes = [
        one
        for grains in asked.grains
        for one in run_campaign(grains, seeds, asked.aspect_ratio, asked.pores, asked.section)
    ]
    if asked.csv:
        with asked.csv.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(asdict(outcomes[0])))
            writer.writeheader()
            writer.writerows(asdict(outcome) for outcome in outcomes)
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
