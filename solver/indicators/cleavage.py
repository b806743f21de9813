"""Opening and gliding of the layers inside a grain: (003) normal stress and basal resolved shear (eq. 4.4, 4.5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.indicators import tensors
from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import share_above
from solver.indicators.view import StateView

# Basal shear strength of NMC811 crystals, 86 ± 12 MPa fully lithiated and 39 ± 5 MPa after charging (Stallard et al.,
# J. Electrochem. Soc. 169 (2022) 040511). The lithium left after that charge is not stated with the number: x = 0.22,
# about 4.3 V, is an assumption, and so is the straight line between the two.
SHEAR_STRENGTH_STOICHIOMETRY = (0.22, 1.0)
SHEAR_STRENGTH = (39.0, 86.0)
_SHEAR_SOURCE = (
    f"{SHEAR_STRENGTH[1]:g} MPa at x = {SHEAR_STRENGTH_STOICHIOMETRY[1]:g} falling linearly to "
    f"{SHEAR_STRENGTH[0]:g} MPa at x = {SHEAR_STRENGTH_STOICHIOMETRY[0]:g} "
    "(Stallard 2022; the line and its lower end are assumptions)"
)


def basal_shear_strength(stoichiometry: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shear stress [MPa] at which the layers of a grain of the given x glide; constant outside the measured range."""
    return np.interp(stoichiometry, SHEAR_STRENGTH_STOICHIOMETRY, SHEAR_STRENGTH)


class Cleavage:
    """Stress on the (003) layers of each grain, weighted by volume."""

    name = "cleavage and gliding"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        return (
            *percentile_definitions(
                "layer_normal",
                "MPa",
                "the normal stress on the (003) layers, c·σc of the cell-averaged stress, by volume",
                "4.4",
                "unmeasured; 500-3000 MPa assumed",
            ),
            *percentile_definitions(
                "basal_shear",
                "MPa",
                "the shear stress resolved on the basal plane, |(I − cc)σc| of the cell-averaged stress, by volume",
                "4.5",
                _SHEAR_SOURCE,
            ),
            Definition(
                "basal_shear_volume_above",
                "-",
                "share of the volume whose basal shear stress is above the strength at the local x",
                "4.5",
                _SHEAR_SOURCE,
            ),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        cells, comm = view.layout.cells, view.comm
        normal, shear = tensors.normal_and_shear(tensors.traction(view.stress.cell_stress, cells.axis), cells.axis)
        strength = basal_shear_strength(view.cell_stoichiometry)
        return {
            **percentile_values("layer_normal", normal, cells.volume, comm),
            **percentile_values("basal_shear", shear, cells.volume, comm),
            "basal_shear_volume_above": share_above(shear, cells.volume, strength, comm),
        }
