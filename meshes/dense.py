"""The mesher of dense particles: seeds → complex → regularised → surfaces → tetrahedra → improved and checked.

An attempt that fails, or whose mesh is not good enough, is followed by another one: first with other limits for short
curves, then with the offending grain's seed moved a little. The same description takes the same path every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from meshes import engine
from meshes.arrays import Array, Indices
from meshes.cell_complex import CellComplex
from meshes.clipping import clipped_complex
from meshes.errors import MeshError, Unmeshable
from meshes.estimate import refuse_huge
from meshes.improve import improve
from meshes.outlines import Outlines, outline_faults, trace_outlines
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh, tagged_mesh
from meshes.quality import WANTED_DIHEDRAL, Quality, check_mesh, measure_quality
from meshes.regularise import SHORTEST_CURVES, regularise, topology_faults
from meshes.sector import keep_octant, octant_complex, tag_symmetry
from meshes.seeds import Seeds, move_seed, place_seeds
from meshes.sizing import cell_sizes, element_size
from meshes.spheroid import Spheroid
from meshes.surface_mesh import Runner, mesh_cells, mesh_faces

Progress = Callable[[str], None]

_SEED_MOVES = 12
_MENDING_ROUNDS = 4
_PATIENCE = 3  # attempts that may run into the time limit
_USABLE_SICN = 0.02


@dataclass(frozen=True)
class DenseMesh:
    """A finished mesh and how it came about.

    Args:
        mesh: The mesh.
        seeds: Seeds it was made from.
        size: Element size [µm].
        quality: Its element quality.
        attempts: Number of attempts made.
        notes: What the user should know, if anything.
    """

    mesh: ParticleMesh
    seeds: Seeds
    size: float
    quality: Quality
    attempts: int
    notes: tuple[str, ...]


def mesh_particle(particle: Particle, progress: Progress, run: Runner | None = None) -> DenseMesh:
    """Mesh a dense particle.

    Args:
        particle: The description.
        progress: Is told, in a line each, what is being done.
        run: Runs meshing jobs; by default in a child process with the description's time limit.

    Returns:
        The mesh, sound and (unless its notes say otherwise) of the promised quality.

    Raises:
        MeshError: If every attempt failed; names the grain.
    """
    refuse_huge(particle)
    domain = Spheroid(float(particle.radius), particle.aspect_ratio)
    seeds = place_seeds(particle, domain)
    count = len(seeds.positions)
    # The elements of a sector are those of the whole particle.
    in_all = 8 * count if seeds.octant else count
    size = element_size(domain, in_all, None if particle.mesh.size is None else float(particle.mesh.size))
    progress(f"{count} grain{'s' * (count > 1)} placed; elements of {size:.3g} um")
    run = run or partial(engine.run, time_limit=particle.mesh.time_limit)
    best: DenseMesh | None = None
    failures: list[Unmeshable] = []
    for trial, levels in _ladder(seeds, domain, particle.grains.seed, failures):
        try:
            mesh, quality = _attempt(trial, domain, size, levels, run, progress)
            made = DenseMesh(mesh, trial, size, quality, len(failures) + 1, ())
            if quality.is_good:
                return made
            if best is None or quality.minimum_dihedral > best.quality.minimum_dihedral:
                best = made
            sharp = f"an angle of {quality.minimum_dihedral:.2g} degrees between two facets"
            failures.append(Unmeshable(sharp, quality.worst_grain - 1))
        except Unmeshable as failure:
            failures.append(failure)
        progress(f"attempt {len(failures)}: {failures[-1]}; trying again")
    return _settle(best, failures)


def _ladder(
    seeds: Seeds, domain: Spheroid, seed: int, failures: Sequence[Unmeshable]
) -> Iterator[tuple[Seeds, Indices]]:
    """What to try, one after the other, looking at what has failed so far: other limits, then moved seeds."""
    random = np.random.default_rng([seed, 1])
    for move in range(_SEED_MOVES + 1):
        levels = np.zeros(len(seeds.positions), dtype=np.int64)
        for _ in SHORTEST_CURVES if move == 0 else SHORTEST_CURVES[:2]:
            yield seeds, levels
            failure = failures[-1]
            if sum(failure.took_too_long for failure in failures) >= _PATIENCE:
                return
            if failure.seed_must_move:
                break
            levels[slice(None) if failure.cell is None else failure.cell] += 1
        blamed = int(random.integers(len(seeds.positions))) if failure.cell is None else failure.cell
        seeds = move_seed(seeds, blamed, domain, random)


def _attempt(
    seeds: Seeds, domain: Spheroid, size: float, levels: Indices, run: Runner, progress: Progress
) -> tuple[ParticleMesh, Quality]:
    """One mesh, or `Unmeshable`."""
    outlines = _outlines(seeds, domain, cell_sizes(size, seeds.target_volumes), levels)
    try:
        progress(f"meshing {len(outlines.faces)} faces")
        surface = mesh_faces(outlines, domain, size, run)
        progress(f"filling the grains from {len(surface.triangles)} triangles")
        points, cells, grain = mesh_cells(surface, len(seeds.positions), size, run)
        mesh = tagged_mesh(points, cells, grain)
        mesh = improve(tag_symmetry(mesh, domain) if seeds.octant else mesh, domain)
        check_mesh(mesh)
    except MeshError as error:
        raise Unmeshable(str(error)) from error
    return mesh, measure_quality(mesh.points, mesh.cells, mesh.grain)


def _outlines(seeds: Seeds, domain: Spheroid, sizes: Array, levels: Indices) -> Outlines:
    """Outlines that can be meshed; where one cannot, the limit for short curves around its cells is changed."""
    levels = levels.copy()
    for _ in range(_MENDING_ROUNDS):
        complex_ = _mended_complex(seeds, domain, sizes, levels)
        faults = topology_faults(complex_)
        if not faults:
            outlines = trace_outlines(complex_, sizes)
            spoilt = outline_faults(outlines)
            faults = [(cell, f"has a face that {fault.reason}") for fault in spoilt for cell in fault.cells]
        if not faults:
            return outlines
        levels[np.unique([cell for cell, _ in faults])] += 1
    raise Unmeshable(faults[0][1], faults[0][0], seed_must_move=True)


def _mended_complex(seeds: Seeds, domain: Spheroid, sizes: Array, levels: Indices) -> CellComplex:
    if not seeds.octant:
        complex_ = clipped_complex(seeds, domain)
        regularise(complex_, sizes, levels)
        return complex_
    complex_ = octant_complex(seeds, domain)
    regularise(complex_, np.tile(sizes, 8), np.tile(levels, 8))
    keep_octant(complex_)
    return complex_


def _settle(best: DenseMesh | None, failures: Sequence[Unmeshable]) -> DenseMesh:
    """Nothing was perfect: the best mesh if it can be used at all, with a note; otherwise an error."""
    if best is not None and best.quality.minimum_sicn > _USABLE_SICN:
        note = (
            f"grain {best.quality.worst_grain}: smallest dihedral angle {best.quality.minimum_dihedral:.2g} degrees, "
            f"usually above {WANTED_DIHEDRAL:g}; another seed, a smaller mesh.size or less spread gives a better mesh"
        )
        return replace(best, attempts=len(failures), notes=(note,))
    reasons = dict.fromkeys(str(failure) for failure in failures[-3:])
    raise MeshError(
        [f"the particle could not be meshed in {len(failures)} attempts; last problems:"]
        + [f"  {reason}" for reason in reasons]
        + [_advice(failures)]
    )


def _advice(failures: Sequence[Unmeshable]) -> str:
    if failures[-1].took_too_long:
        return "choose a longer particle.mesh.time_limit, a larger particle.mesh.size, or another particle.grains.seed"
    return "choose another particle.grains.seed, a smaller particle.mesh.size, or less spread"
