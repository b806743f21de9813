"""Stretches of a protocol as the time loop walks them: what is imposed, for how long, and what ends them earlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from solver.solve.transport import Transport

Quantity = Literal["potential", "rate", "state_of_charge"]

# How closely an end is met: volts, share of the wanted current, state of charge.
_TOLERANCES: dict[Quantity, float] = {"potential": 1e-4, "rate": 1e-3, "state_of_charge": 1e-7}


@dataclass(frozen=True)
class Reading:
    """What an instrument would show.

    Attributes:
        potential: Potential of the particle [V]; NaN when it is not known.
        rate: Rate of the mean stoichiometry [1/s]; NaN when it is not known.
        state_of_charge: 1 − mean stoichiometry [-].
    """

    potential: float
    rate: float
    state_of_charge: float


@dataclass(frozen=True)
class End:
    """A condition that ends a stretch.

    Attributes:
        quantity: What is watched; of a rate, the magnitude.
        value: Where it ends [V, 1/s or -].
        rising: Whether the quantity comes from below.
        text: The end in the user's words.
    """

    quantity: Quantity
    value: float
    rising: bool
    text: str

    def excess(self, reading: Reading) -> float:
        """How far a reading is beyond the end, in units of what is close enough; NaN when it cannot be told."""
        shown = abs(reading.rate) if self.quantity == "rate" else getattr(reading, self.quantity)
        beyond = shown - self.value if self.rising else self.value - shown
        scale = abs(self.value) if self.quantity == "rate" else 1.0
        return beyond / (_TOLERANCES[self.quantity] * scale)


@dataclass(frozen=True)
class Segment:
    """A stretch of constant current, held potential or held outside; exactly one of the three is given.

    Attributes:
        duration: Longest time it takes [s].
        text: The stretch in the user's words.
        rate: Rate of the mean stoichiometry [1/s].
        potential: Potential held [V].
        surface: Outside stoichiometry held [-].
        ends: What ends it before its time.
        expected: Time it will probably take [s]; by default its duration.
        must_end: Whether running out of time is a failure: an end was asked for and not met.
    """

    duration: float
    text: str
    rate: float | None = None
    potential: float | None = None
    surface: float | None = None
    ends: tuple[End, ...] = ()
    expected: float | None = None
    must_end: bool = False

    def begin(self, transport: Transport) -> None:
        """Imposes it."""
        if self.rate is not None:
            transport.drive(self.rate)
        elif self.potential is not None:
            transport.hold_potential(self.potential)
        elif self.surface is not None:
            transport.hold(self.surface)

    def reached(self, reading: Reading) -> End | None:
        """The end that a reading meets, if any."""
        return next((end for end in self.ends if end.excess(reading) > -1.0), None)

    def overshoot(self, before: Reading, after: Reading) -> float | None:
        """Share of a step at which the first end is met, when the step goes beyond it; None when it does not."""
        shares = []
        for end in self.ends:
            low, high = end.excess(before), end.excess(after)
            if high > 1.0:
                # From a start that cannot be told (the current of a held potential is unbounded), halve the step.
                shares.append(low / (low - high) if -1e12 < low < 0.0 else 0.5)
        return min(max(min(shares), 0.02), 0.98) if shares else None
