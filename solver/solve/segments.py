"""Stretches of a protocol as the time loop walks them: what is imposed, for how long, and what ends them earlier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from solver.case.course import Course
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
        rising: Whether the quantity comes from below; None when that is known only where the stretch starts.
        text: The end in the user's words.
    """

    quantity: Quantity
    value: float
    rising: bool | None
    text: str

    def seen_from(self, start: Reading) -> End:
        """The end with its side known."""
        return self if self.rising is not None else replace(self, rising=self._shown(start) <= self.value)

    def _shown(self, reading: Reading) -> float:
        return abs(reading.rate) if self.quantity == "rate" else float(getattr(reading, self.quantity))

    def excess(self, reading: Reading) -> float:
        """How far a reading is beyond the end, in units of what is close enough; NaN when it cannot be told."""
        shown = self._shown(reading)
        beyond = shown - self.value if self.rising else self.value - shown
        scale = abs(self.value) if self.quantity == "rate" else 1.0
        return beyond / (_TOLERANCES[self.quantity] * scale)


@dataclass(frozen=True)
class Segment:
    """A stretch of constant or varying current, held potential or held outside; exactly one of the four is given.

    Attributes:
        duration: Longest time it takes [s].
        text: The stretch in the user's words.
        rate: Rate of the mean stoichiometry [1/s].
        course: The same where it varies.
        potential: Potential held [V].
        surface: Outside stoichiometry held [-].
        ends: What ends it before its time.
        expected: Time it will probably take [s]; by default its duration.
        must_end: Whether running out of time is a failure: an end was asked for and not met.
    """

    duration: float
    text: str
    rate: float | None = None
    course: Course | None = None
    potential: float | None = None
    surface: float | None = None
    ends: tuple[End, ...] = ()
    expected: float | None = None
    must_end: bool = False

    def begin(self, transport: Transport, elapsed: float = 0.0) -> None:
        """Imposes it from a time [s] after its start."""
        if self.course is not None:
            transport.follow(self.course, elapsed)
        elif self.rate is not None:
            transport.drive(self.rate)
        elif self.potential is not None:
            transport.hold_potential(self.potential)
        elif self.surface is not None:
            transport.hold(self.surface)

    @property
    def stops(self) -> list[float]:
        """Times [s] after its start at which the current jumps, and its end."""
        jumps = () if self.course is None else self.course.jumps
        return [*(float(jump) for jump in jumps if jump < self.duration), self.duration]

    def rate_at(self, elapsed: float) -> float:
        """Rate of the mean stoichiometry from a time on [1/s]; NaN where the particle itself decides."""
        if self.course is not None:
            return self.course.rate(elapsed)
        return float("nan") if self.rate is None else self.rate

    def gain(self, start: float, end: float) -> float | None:
        """What the current adds to the mean stoichiometry between two times [s]; None where the particle decides."""
        if self.course is not None:
            return self.course.gain(start, end)
        return None if self.rate is None else self.rate * (end - start)

    def seen_from(self, start: Reading) -> Segment:
        """The stretch with the sides of all ends known."""
        return replace(self, ends=tuple(end.seen_from(start) for end in self.ends))

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
