"""The particle description: what a user asks for, as frozen data. Nothing is computed here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from meshes.description import Description
from meshes.designs import Coating, Matrix, Pores, Roughness, Void
from meshes.quantities import ANGLE, FRACTION, LENGTH, quantity


class FixedOrientation(Description):
    """All grains share one c axis (a single crystal, or a perfect texture)."""

    axis: Annotated[list[float], Field(min_length=3, max_length=3, description="c axis, need not be normalised")]

    @model_validator(mode="after")
    def _has_direction(self) -> FixedOrientation:
        if not 1e-12 < sum(component**2 for component in self.axis) < 1e24:
            raise ValueError("the axis has no direction; write three numbers such as [0, 0, 1]")
        return self


class FileOrientation(Description):
    """One c axis per grain, read from a text file of three columns in the order of the grains."""

    file: Annotated[str, Field(min_length=1, max_length=1000, description="path relative to the case file")]


Orientation = Literal["random", "radial", "tangential"] | FixedOrientation | FileOrientation


class Grains(Description):
    """Primary grains: how many or how large, and how their c axes point."""

    count: Annotated[int, Field(ge=1, le=5000)] | None = Field(
        default=None, description="number of grains; or write `mean_diameter`"
    )
    mean_diameter: quantity(LENGTH, "0.02 um", "100 um") | None = Field(  # type: ignore[valid-type]
        default=None, description="mean diameter of the grains, as balls of equal volume; or write `count`"
    )
    spread: quantity(FRACTION, "0 %", "60 %") = Field(  # type: ignore[valid-type]
        default="30 %", description="standard deviation of the grain diameters over their mean (log-normal)"
    )
    relaxation: Annotated[int, Field(ge=0, le=20, description="Lloyd sweeps before the sizes are fitted")] = 2
    elongation: Annotated[
        float, Field(ge=1.0, le=5.0, description="length of the grains along the radius over their width")
    ] = 1.0
    seed: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="another number gives another particle of the same kind")
    ] = 1
    orientation: Orientation = Field(
        default="random",
        description="c axes: `random` is uniform on the sphere, `radial` points away from the centre, `tangential` "
        "lies across the radius, so that the layers run along it",
    )
    orientation_scatter: quantity(ANGLE, "0 deg", "61 deg") = Field(  # type: ignore[valid-type]
        default="0 deg",
        description="root mean square angle of the c axes about the chosen texture; 61 deg (39 deg when tangential) is "
        "no texture at all",
    )
    orientation_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None, description="random c axes of their own on the same grains; by default `seed`"
    )

    @model_validator(mode="after")
    def _count_or_diameter(self) -> Grains:
        if (self.count is None) == (self.mean_diameter is None):
            raise ValueError('write either "count: 100" or "mean_diameter: 1 um", not both and not neither')
        return self


class MeshOptions(Description):
    """How fine the tetrahedra are."""

    size: quantity(LENGTH, "0.005 um", "20 um") | None = Field(  # type: ignore[valid-type]
        default=None, description="edge length; by default chosen from the grain size and the radius"
    )
    time_limit: Annotated[int, Field(ge=5, le=86400, description="seconds one meshing attempt may take")] = 300


class MeshFile(Description):
    """A mesh made elsewhere (Gmsh, Neper, anything meshio reads) with one integer tag per grain."""

    path: Annotated[str, Field(min_length=1, max_length=1000, description="path relative to the case file")]
    length_unit: quantity(LENGTH, "1e-6 um", "1e6 um") = Field(  # type: ignore[valid-type]
        default="1 um", description="length of one unit of the file's coordinates"
    )
    grain_data: str | None = Field(default=None, description="name of the cell data holding the grain number")


class Particle(Description):
    """A secondary particle: outer shape, grains, and the mesh to make of it (or to read)."""

    radius: quantity(LENGTH, "0.1 um", "50 um") = Field(  # type: ignore[valid-type]
        default="5 um", description="radius of the particle, of a ball of equal volume when it is a spheroid"
    )
    aspect_ratio: Annotated[
        float,
        Field(
            ge=0.4,
            le=2.5,
            description="polar over equatorial diameter at equal volume; 1 is a sphere. Of a faceted crystal: distance "
            "of its (003) planes over that of opposite (104) planes, at most 1.6",
        ),
    ] = 1.0
    shape: Literal["round", "faceted"] = Field(
        default="round",
        description="`faceted`: a single crystal bounded by its (003) and (104) planes, of the volume of the ball of "
        "`radius`, its c axis along z",
    )
    roughness: Roughness | None = Field(default=None, description="a surface with bumps")
    grains: Grains = Field(default=Grains(count=100), description="grains and their orientation")
    pores: Pores | None = Field(default=None, description="pores between the grains")
    void: Void | None = Field(default=None, description="a hollow at the centre")
    coating: Coating | Annotated[list[Coating], Field(min_length=1, max_length=5)] | None = Field(
        default=None, description="a layer on the surface, or a list of layers, innermost first"
    )
    matrix: Matrix | None = Field(default=None, description="a solid electrolyte around the particle")
    sector: Literal["full", "eighth"] = Field(
        default="full",
        description="`eighth`: one octant with symmetry planes, for verification; `grains.count` is then the number of "
        "grains in it",
    )
    dimension: Literal[2, 3] = Field(
        default=3, description="2: the cross-section at z = 0, for fast screening (see `mechanics.out_of_plane`)"
    )
    mesh: MeshOptions = Field(default=MeshOptions(), description="element size")
    from_file: MeshFile | None = Field(default=None, description="read a mesh instead of making one")

    @model_validator(mode="before")
    @classmethod
    def _file_needs_no_count(cls, data: Any) -> Any:
        """With a mesh from a file the grains are those of the file; only their orientation is asked for."""
        grains = (data.get("grains") or {}) if isinstance(data, dict) else None
        if not isinstance(grains, dict) or data.get("from_file") is None:
            return data
        # A description that was read and written out again holds the 1 set here.
        if grains.get("mean_diameter") is not None or grains.get("count") not in (None, 1):
            raise ValueError('"grains.count" and "grains.mean_diameter" come from the mesh file; leave them out')
        return {**data, "grains": {**grains, "count": 1}}

    @model_validator(mode="before")
    @classmethod
    def _faceted_is_one_crystal(cls, data: Any) -> Any:
        """Unless said otherwise, a faceted crystal has the c axis that its faces have."""
        grains = data.get("grains") or {} if isinstance(data, dict) and data.get("shape") == "faceted" else None
        if isinstance(grains, Grains) and "orientation" not in grains.model_fields_set:
            return {**data, "grains": grains.model_copy(update={"orientation": FixedOrientation(axis=[0.0, 0.0, 1.0])})}
        if not isinstance(grains, dict):
            return data
        one = {} if "mean_diameter" in grains else {"count": 1}
        return {**data, "grains": {**one, "orientation": {"axis": [0.0, 0.0, 1.0]}, **grains}}

    @property
    def coatings(self) -> tuple[Coating, ...]:
        """The layers on the surface, innermost first."""
        if self.coating is None:
            return ()
        return tuple(self.coating) if isinstance(self.coating, list) else (self.coating,)
