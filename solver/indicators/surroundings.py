"""What the surroundings do to a particle: contact lost, plastic strain, gliding at the surface (eqs. 4.5, 9.2-9.7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.indicators import tensors
from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, share_above, weighted_mean
from solver.indicators.view import StateView

Array = NDArray[np.float64]

# Cells this far out count as near the surface.
NEAR_SURFACE = 0.9
# A point has flowed when its plastic strain is above this: rounding is far below, a real strain far above.
_FLOWED = 1e-9

_NO_BOND = "empty unless `matrix.interface: limited`"
_NO_FLOW = "empty unless `matrix.plastic: true`"


class Contact:
    """Opening and loss of contact between particle and matrix."""

    name = "contact with the matrix"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        return (
            Definition(
                "interface_opening_mean",
                "um",
                f"area mean of the opening between particle and matrix, zero where they touch; {_NO_BOND}",
                "9.7",
            ),
            *percentile_definitions("interface_opening", "um", f"the same opening, by area; {_NO_BOND}", "9.7"),
            Definition(
                "interface_opening_maximum",
                "um",
                f"largest opening, a mean over one facet; {_NO_BOND}",
                "9.7",
            ),
            Definition(
                "interface_overlap_mean",
                "um",
                f"area mean of the depth to which they overlap where no contact was found, an error; {_NO_BOND}",
                "9.7",
            ),
            Definition(
                "contact_loss_area",
                "-",
                f"share of the particle's surface towards the matrix that does not touch it; {_NO_BOND}",
                "9.7",
            ),
            Definition(
                "debonded_area",
                "-",
                f"share of that surface without a bond: open, or touching under pressure alone; {_NO_BOND}",
                "9.6",
            ),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        around, comm = view.state.surroundings, view.comm
        if around is None or around.bond is None:
            return {definition.key: float("nan") for definition in self.definitions(settings)}
        # Every rank knows all columns; one speaks for all.
        speaks = slice(None) if comm.rank == 0 else slice(0)
        bond = around.bond
        opening, area = bond.opening[speaks], bond.area[speaks]
        return {
            "interface_opening_mean": weighted_mean(opening, area, comm),
            **percentile_values("interface_opening", opening, area, comm),
            "interface_opening_maximum": maximum(opening, comm),
            "interface_overlap_mean": weighted_mean(bond.overlap[speaks], area, comm),
            "contact_loss_area": weighted_mean(bond.apart[speaks].astype(np.float64), area, comm),
            "debonded_area": weighted_mean((~bond.bonded[speaks]).astype(np.float64), area, comm),
        }


class MatrixFlow:
    """Plastic strain of the matrix."""

    name = "plastic matrix"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        return (
            *percentile_definitions(
                "matrix_plastic_strain",
                "-",
                f"the equivalent plastic strain of the matrix, by volume; {_NO_FLOW}",
                "9.3",
            ),
            Definition("matrix_plastic_volume", "-", f"share of the matrix that has flowed; {_NO_FLOW}", "9.3"),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        around, comm = view.state.surroundings, view.comm
        if around is None or around.flow is None:
            return {definition.key: float("nan") for definition in self.definitions(settings)}
        strain, weights = around.flow.equivalent.ravel(), around.flow.weights.ravel()
        return {
            **percentile_values("matrix_plastic_strain", strain, weights, comm),
            "matrix_plastic_volume": share_above(strain, weights, _FLOWED, comm),
        }


class SurfaceShear:
    """Gliding of layers right under the surface, where a stiff surrounding bites."""

    name = "gliding near the surface"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        meaning = f"the basal shear stress of the grains at r/R > {NEAR_SURFACE:g}, by volume"
        return percentile_definitions("surface_basal_shear", "MPa", meaning, "4.5", "as basal_shear")

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        cells = view.layout.cells
        shear = tensors.normal_and_shear(tensors.traction(view.stress.cell_stress, cells.axis), cells.axis)[1]
        weights: Array = cells.volume * (cells.radius > NEAR_SURFACE)
        return percentile_values("surface_basal_shear", shear, weights, view.comm)
