"""From a description to a meshed particle: one builder makes the grains, then stages add what lies around them.

Builders: a mesh file, or grains as a complex of flat faces (`dense`). Every stage takes a body and gives another one;
a stage whose feature is not asked for gives it back unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from meshes.body import Body, Progress
from meshes.carved import carved_particle, is_carved
from meshes.combinations import refuse_misfits
from meshes.dense import mesh_particle
from meshes.faceted import faceted_crystal
from meshes.imported import read_foreign_mesh
from meshes.layers import add_layers
from meshes.particle import Particle
from meshes.porous import porous_particle
from meshes.power_diagram import cell_measures, power_diagram
from meshes.roughness import roughen
from meshes.section import mesh_section
from meshes.seeds import mirrored
from meshes.spheroid import Spheroid

Stage = Callable[[Body, Particle, Progress], Body]

# In this order: each works on what the ones before have built.
STAGES: tuple[Stage, ...] = (roughen, add_layers)


def build_particle(particle: Particle, base_folder: Path, progress: Progress) -> Body:
    """Mesh a particle.

    Args:
        particle: The description.
        base_folder: Folder that relative file names refer to.
        progress: Is told, in a line each, what is being done.

    Raises:
        MeshError: If it cannot be meshed; names the option or the grain.
    """
    refuse_misfits(particle)
    body = _grains(particle, base_folder, progress)
    for stage in STAGES:
        body = stage(body, particle, progress)
    return body


def _grains(particle: Particle, base_folder: Path, progress: Progress) -> Body:
    if particle.from_file is not None:
        progress(f"reading {particle.from_file.path}")
        foreign = read_foreign_mesh(particle.from_file, base_folder)
        return Body(foreign.mesh, notes=foreign.notes, grain_numbers=foreign.grain_numbers)
    if particle.shape == "faceted":
        return faceted_crystal(particle, progress)
    if particle.dimension == 2:
        return mesh_section(particle, progress)
    if particle.pores is not None:
        return porous_particle(particle, progress)
    if is_carved(particle):
        return carved_particle(particle, progress)
    return _dense(particle, progress)


def _dense(particle: Particle, progress: Progress) -> Body:
    dense = mesh_particle(particle, progress)
    outline = Spheroid(float(particle.radius), particle.aspect_ratio)
    count = len(dense.seeds.positions)
    whole = mirrored(dense.seeds, outline) if dense.seeds.octant else dense.seeds
    exact = cell_measures(power_diagram(whole.positions, whole.weights, outline), outline)
    return Body(
        mesh=dense.mesh,
        outline=outline,
        size=dense.size,
        volume_asked=outline.volume / (8 if dense.seeds.octant else 1),
        target_volumes=dense.seeds.target_volumes,
        boundary_area_exact=float(exact.areas[(exact.pairs < count).all(axis=1)].sum()),
        attempts=dense.attempts,
        notes=dense.notes,
    )
