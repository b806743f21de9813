"""The builder of particles that are carved: with a void, pores, or grains longer along the radius.

Where a mesh cannot be made or is poor, smaller elements are tried: they resolve what was lost or squeezed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshes.arrays import Array
from meshes.body import Body, Progress
from meshes.carved_report import elongation_section, void_section
from meshes.errors import MeshError, Unmeshable
from meshes.estimate import refuse_huge
from meshes.grown import Grown, grow_grains, solid_volume
from meshes.label_field import LabelField
from meshes.labelled import mesh_labels
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from meshes.quality import check_mesh, measure_quality
from meshes.sizing import carved_size, cell_sizes
from meshes.spheroid import Spheroid
from meshes.wetting import wet_walls

CARVED_SICN = 0.06
_USABLE_SICN = 0.02
_FINER = (1.0, 0.85, 0.7, 0.55)


@dataclass(frozen=True)
class Carved:
    """A sound mesh of a label field.

    Args:
        mesh: The mesh, walls of holes tagged `PORE_WALL`.
        attempts: Number of attempts made.
        notes: What the user should know, if anything.
    """

    mesh: ParticleMesh
    attempts: int
    notes: tuple[str, ...]


def is_carved(particle: Particle) -> bool:
    """Whether a particle needs this builder."""
    return particle.void is not None or particle.pores is not None or particle.grains.elongation > 1.0


def carved_particle(particle: Particle, progress: Progress) -> Body:
    """Mesh a particle with a void or elongated grains.

    Args:
        particle: The description, without pores.
        progress: Is told, in a line each, what is being done.

    Raises:
        MeshError: If it cannot be meshed; names the option or the grain.
    """
    refuse_huge(particle)
    outline = Spheroid(float(particle.radius), particle.aspect_ratio)
    grown = grow_grains(particle, outline)
    count = grown.field.grain_count
    size = carved_size(particle, outline, count)
    progress(f"{count} grain{'s' * (count > 1)} placed; elements of {size:.3g} um")
    carved = carve(grown.field, grain_sizes(particle, grown, size), particle.mesh.time_limit, progress)
    body = Body(
        mesh=wet_walls(carved.mesh, particle, grown.field),
        outline=outline,
        size=size,
        volume_asked=solid_volume(grown.field),
        target_volumes=grown.target_volumes,
        attempts=carved.attempts,
        notes=carved.notes,
    )
    return with_sections(body, particle, grown.field)


def with_sections(body: Body, particle: Particle, field: LabelField) -> Body:
    """The body with what there is to report about its void and the shape of its grains."""
    if particle.void is not None:
        body = body.with_section(void_section(body.mesh, field))
    if particle.grains.elongation > 1.0:
        body = body.with_section(elongation_section(body.mesh, particle.grains.elongation))
    return body


def grain_sizes(particle: Particle, grown: Grown, size: float) -> Array:
    """Element size in every grain [µm], shape (N,): smaller in small and in thin ones."""
    return cell_sizes(size, grown.target_volumes / particle.grains.elongation)


def carve(field: LabelField, sizes: Array, time_limit: float, progress: Progress) -> Carved:
    """Mesh a label field, with smaller elements where the first do not give a sound, good mesh.

    Args:
        field: What is where.
        sizes: Element size in every grain [µm], shape (N,).
        time_limit: Seconds each program may take.
        progress: Is told, in a line each, what is being done.

    Raises:
        MeshError: If every attempt failed.
    """
    best: tuple[float, Carved] | None = None
    failures: list[Unmeshable] = []
    for attempt, factor in enumerate(_FINER, start=1):
        try:
            mesh = _attempt(field, factor * sizes, time_limit, progress)
            quality = measure_quality(mesh.points, mesh.cells, mesh.grain)
            if best is None or quality.minimum_sicn > best[0]:
                best = quality.minimum_sicn, Carved(mesh, attempt, ())
            if quality.minimum_sicn > CARVED_SICN:
                return best[1]
            failures.append(
                Unmeshable(f"has a tetrahedron of SICN {quality.minimum_sicn:.2g}", quality.worst_grain - 1)
            )
        except Unmeshable as failure:
            failures.append(failure)
            if failure.took_too_long:
                break
        progress(f"attempt {attempt}: {failures[-1]}; trying again with smaller elements")
    return _settle(best, failures)


def _attempt(field: LabelField, sizes: Array, time_limit: float, progress: Progress) -> ParticleMesh:
    """One sound mesh, or `Unmeshable`."""
    mesh = mesh_labels(field, float(sizes.max()), time_limit, progress, sizes)
    try:
        check_mesh(mesh)
    except MeshError as error:
        raise Unmeshable(str(error)) from error
    return mesh


def _settle(best: tuple[float, Carved] | None, failures: list[Unmeshable]) -> Carved:
    """Nothing was good: the best mesh if it can be used at all, with a note; otherwise an error."""
    if best is not None and best[0] > _USABLE_SICN:
        note = (
            f"smallest SICN {best[0]:.2g}, usually above {CARVED_SICN:g}; another seed or mesh.size gives a better mesh"
        )
        return replace(best[1], notes=(note,))
    reasons = dict.fromkeys(str(failure) for failure in failures)
    advice = (
        "choose a longer particle.mesh.time_limit or a larger particle.mesh.size"
        if failures[-1].took_too_long
        else "choose another particle.grains.seed, or a smaller particle.mesh.size"
    )
    raise MeshError(
        [f"the particle could not be carved in {len(failures)} attempts; problems:"]
        + [f"  {reason}" for reason in reasons]
        + [advice]
    )
