"""All families of indicators. A new family is one new file and one line in `INDICATORS`."""

from __future__ import annotations

from solver.indicators.cleavage import Cleavage
from solver.indicators.coating import Coating, CoatingOutside
from solver.indicators.definition import Definition, Indicator
from solver.indicators.energy import Energy
from solver.indicators.failure_probability import FailureProbability
from solver.indicators.grain_boundary import GrainBoundary
from solver.indicators.guards import LithiumBalance, StressBalance
from solver.indicators.layout import build_layout
from solver.indicators.lithium import Lithium
from solver.indicators.parts import Parts
from solver.indicators.regions import Regions
from solver.indicators.settings import IndicatorSettings
from solver.indicators.stress import Stress
from solver.indicators.surroundings import Contact, MatrixFlow, SurfaceShear
from solver.indicators.view import StateView
from solver.solve.domain import Domain
from solver.solve.state import State

# Changes whenever a definition changes its meaning, so that old results are not compared with new ones unnoticed.
DEFINITIONS_VERSION = 1

INDICATORS: tuple[Indicator, ...] = (
    Lithium(),
    Stress(),
    GrainBoundary(),
    Cleavage(),
    Energy(),
    FailureProbability(),
    Parts(),
    Regions(),
    CoatingOutside(),
    Coating(),
    Contact(),
    MatrixFlow(),
    SurfaceShear(),
    LithiumBalance(),
    StressBalance(),
)


def definitions(settings: IndicatorSettings) -> tuple[Definition, ...]:
    """Definitions of all indicators in the order of the history table's columns."""
    return tuple(definition for indicator in INDICATORS for definition in indicator.definitions(settings))


class IndicatorSet:
    """All indicators on one particle.

    Args:
        domain: The distributed particle; the geometry the indicators share is worked out here, once.
        settings: Numbers that the case fixes.
    """

    def __init__(self, domain: Domain, settings: IndicatorSettings) -> None:
        self.settings = settings
        self.layout = build_layout(domain, settings.length)

    def view(self, state: State) -> StateView:
        """The state with its derived fields; hand it to `evaluate` and to writers, so that they are computed once."""
        return StateView(state, self.layout)

    def evaluate(self, view: StateView) -> dict[str, float]:
        """All indicators of one state; collective, the same on every rank.

        Families that need a stress the case did not ask for give NaN, so the columns are always the same.
        """
        values: dict[str, float] = {}
        for indicator in INDICATORS:
            missing = (indicator.needs_stress and view.state.stress is None) or (
                indicator.needs_mismatch and view.state.mismatch is None
            )
            if missing:
                values |= {definition.key: float("nan") for definition in indicator.definitions(self.settings)}
            else:
                values |= indicator.evaluate(view, self.settings)
        return values
