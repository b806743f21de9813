"""What the mesh report says about pores: built against asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from meshes.arrays import Array
from meshes.body import ReportSection
from meshes.label_field import LabelField
from meshes.particle_mesh import PORE_WALLS, WETTED_PORE_WALL, ParticleMesh, facet_areas
from meshes.plane_sections import SectionPorosity
from meshes.pore_law import PoreSizes, PorosityLaw, giant_volumes
from meshes.pore_shells import Shells
from meshes.porosity import Porosity, central_sections, random_sections
from meshes.wetting import PoreSpaces, void_space, volumes_of_pores

# Edges of the histogram of pore volumes [µm³].
_BINS = (0.0, 0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)

Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class PoresAsked:
    """What was asked of the pores.

    Args:
        law: The porosity law.
        sizes: The sizes.
        shells: Shells, and their porosity without what is left out.
        radius: Radius of the particle [µm].
    """

    law: PorosityLaw
    sizes: PoreSizes
    shells: Shells
    radius: float


def pore_section(
    mesh: ParticleMesh, field: LabelField, porosity: Porosity, spaces: PoreSpaces, asked: PoresAsked, giants: int
) -> ReportSection:
    """The part of the report about pores.

    Args:
        mesh: The mesh, walls tagged dry or wet.
        field: What it was made from.
        porosity: Its porosity.
        spaces: Its pore spaces.
        asked: What was asked for.
        giants: How many of the first pores are giants.
    """
    rows, data = _profile(porosity, asked)
    built = volumes_of_pores(mesh, field, spaces, giants)
    void = void_space(mesh, field, spaces)
    parts = [_spaces(field, spaces, void, asked, built), _walls(mesh, porosity)]
    if not field.void_radius:
        parts.insert(0, _sections(mesh, field, porosity, asked.law))
    for more_rows, more_data in parts:
        rows += more_rows
        data |= more_data
    return ReportSection("pores", tuple(rows), data)


def _profile(porosity: Porosity, asked: PoresAsked) -> tuple[Rows, dict[str, Any]]:
    shells = asked.shells
    volumes = np.diff(shells.edges**3)
    total = float(shells.porosity @ volumes / volumes.sum())
    rows: Rows = [("porosity", _percent(porosity.total), _percent(total))]
    for inner, outer, built, wanted in zip(shells.edges, shells.edges[1:], porosity.shells, shells.porosity):
        rows.append((f"  r/R {inner:.3g} to {outer:.3g}", _percent(built), _percent(wanted)))
    if asked.sizes.left_out_volume > 1e-9:
        left_out = f"{_percent(asked.sizes.left_out_number)} of the number"
        rows.append((f"left out: pores below {asked.sizes.smallest:g} um^3", left_out, ""))
        rows.append(("  porosity they would make", _percent(asked.law.total - total), ""))
    data = {
        "porosity": porosity.total,
        "porosity_asked": total,
        "shell_edges": shells.edges.tolist(),
        "shell_porosity": porosity.shells.tolist(),
        "shell_porosity_asked": shells.porosity.tolist(),
        "active_volume_fraction": porosity.solid / porosity.whole,
        "left_out_number": asked.sizes.left_out_number,
        "left_out_volume": asked.sizes.left_out_volume,
    }
    return rows, data


def _sections(
    mesh: ParticleMesh, field: LabelField, porosity: Porosity, law: PorosityLaw
) -> tuple[Rows, Mapping[str, Any]]:
    """Porosity as it is read on micrographs."""
    central = central_sections(mesh, field.outline, porosity.chord_loss)
    anywhere = random_sections(mesh, field.outline, porosity.chord_loss)
    half = float(law.on_central_disc(0.5))
    rows = [
        ("sections through the centre", _reading(central), _percent(law.on_central_disc(1.0))),
        ("  inside half the radius", _percent(central.inner), _percent(half)),
        ("sections anywhere", _reading(anywhere), ""),
    ]
    data = {
        "central_sections": {"whole": central.whole, "spread": central.spread, "inner": central.inner},
        "random_sections": {"whole": anywhere.whole, "spread": anywhere.spread, "inner": anywhere.inner},
    }
    return rows, data


def _spaces(
    field: LabelField, spaces: PoreSpaces, void: int | None, asked: PoresAsked, giants: Array
) -> tuple[Rows, Mapping[str, Any]]:
    """Numbers and sizes of pores, and how they hang together; the void is none of them."""
    is_pore = np.arange(len(spaces.volumes)) != (-1 if void is None else void)
    sizes, is_open = spaces.volumes[is_pore], spaces.is_open[is_pore]
    volumes = 4.0 / 3.0 * np.pi * field.pore_radii**3
    shares = _shares(volumes[len(giants) :] * asked.sizes.detail)
    wanted = _shares(asked.sizes.volumes(1000, np.random.default_rng(0)) * asked.sizes.detail)
    counts = np.histogram(sizes, _BINS)[0]
    total = max(float(sizes.sum()), 1e-300)
    open_share = float(sizes[is_open].sum()) / total
    largest = float(sizes.max(initial=0.0)) / total
    rows = [("pores, and spaces they form", f"{len(volumes)}, {len(sizes)}", "")]
    if len(giants):
        rows.append(("  giant pores", _volumes(giants), _volumes(giant_volumes(asked.law, asked.radius))))
    rows += [
        ("  real volumes < 0.01 / < 0.03 / above", shares, wanted),
        ("  largest, median space", _volumes(np.array([sizes.max(initial=0.0), np.median(sizes)])), ""),
        ("  open to the surface, by volume", _percent(open_share), ""),
        ("  in the largest space, by volume", _percent(largest), ""),
    ]
    data = {
        "pores": len(volumes),
        "giant_volumes": giants.tolist(),
        "spaces": len(sizes),
        "space_volume_edges": [*_BINS[:-1]],
        "space_volume_counts": counts.tolist(),
        "open_share": open_share,
        "largest_share": largest,
    }
    return rows, data


def _shares(volumes: Array) -> str:
    """Shares of the number in the classes of the size law."""
    counts = np.histogram(volumes, [0.0, 0.010, 0.030, np.inf])[0]
    return " / ".join(f"{100.0 * count / max(len(volumes), 1):.0f} %" for count in counts)


def _walls(mesh: ParticleMesh, porosity: Porosity) -> tuple[Rows, Mapping[str, Any]]:
    areas = facet_areas(mesh)
    inner = float(areas[np.isin(mesh.facet_tags, PORE_WALLS)].sum())
    wetted = float(areas[mesh.facet_tags == WETTED_PORE_WALL].sum())
    active = porosity.solid / porosity.whole
    rows = [
        ("inner surface, wetted share", f"{inner:.4g} um^2, {_percent(wetted / inner if inner else 0.0)}", ""),
        ("active volume", _percent(active), ""),
    ]
    return rows, {"inner_area": inner, "wetted_area": wetted}


def _reading(section: SectionPorosity) -> str:
    return f"{_percent(section.whole)} ± {100.0 * section.spread:.1f} %"


def _volumes(volumes: Array) -> str:
    return ", ".join(f"{volume:.3g}" for volume in volumes) + " um^3"


def _percent(value: float) -> str:
    return f"{100.0 * value:.2f} %"
