"""What leaves at the places of the surface: through a film, and by the Butler-Volmer reaction (eqs. 11.5, 13.4).

Local laws on the rows of lumped surface degrees of freedom; who balances them is the step solvers' business.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT
from solver.model.chemical_potential import ChemicalLaw, mobility, nodes_of
from solver.model.kinetics import ButlerVolmer
from solver.solve.potential_flux import Shift
from solver.solve.surface import SurfaceRows

Array = NDArray[np.float64]

_POTENTIAL_STEPS = 80
_LOCAL_STEPS = 40
_LARGEST_CHANGE = 0.1  # of x in one local Newton step


@dataclass(frozen=True)
class Flow:
    """What leaves at the owned degrees of freedom [µm³/s] and its derivatives; zero inside.

    The one unknown of the whole surface is the potential [V] of a reaction, the outside stoichiometry of films.
    """

    value: Array
    by_stoichiometry: Array
    by_unknown: Array


class EvenFlow:
    """The same flux everywhere on the surface; the unknown is the lithium that enters in all [µm³/s].

    Args:
        rows: Places where lithium passes.
    """

    def __init__(self, rows: SurfaceRows) -> None:
        self._share = rows.areas / rows.comm.allreduce(float(rows.areas.sum()))

    def at(self, x: Array, unknown: float, shift: Shift | None = None) -> Flow:
        """What leaves for an inflow."""
        return Flow(-unknown * self._share, np.zeros_like(x), -self._share)


class FilmFlow:
    """Films between the surface and an outside in equilibrium with an unstressed crystal (eqs. 8.3, 13.4).

    Args:
        rows: Places where lithium passes.
        law: Chemical part of the potential.
    """

    def __init__(self, rows: SurfaceRows, law: ChemicalLaw) -> None:
        self._law, self._conductance, self._comm = law, rows.conductance, rows.comm
        self._filmed = np.flatnonzero(rows.conductance > 0.0)

    def at(self, x: Array, unknown: float, shift: Shift | None = None) -> Flow:
        """What leaves for an outside stoichiometry."""
        here, conductance = self._filmed, self._conductance[self._filmed]
        local = None if shift is None else Shift(shift.value[here], shift.slope[here])
        parts = through_film(x[here], np.full(len(here), unknown), self._law, local)
        return _on_rows(len(x), here, (conductance * parts[0], conductance * parts[1], conductance * parts[2]))

    def unknown_of(self, x: Array, inflow: float, start: float, shift: Shift | None = None) -> float:
        """Outside stoichiometry at which the films carry an inflow [µm³/s], by Newton's method; NaN when it fails."""
        outside = start if np.isfinite(start) else 0.5
        for _ in range(_POTENTIAL_STEPS):
            flow = self.at(x, outside, shift)
            total = np.zeros(2)
            self._comm.Allreduce(np.array([flow.value.sum(), flow.by_unknown.sum()]), total)
            move = -(total[0] + inflow) / total[1]
            outside += float(np.clip(move, -_LARGEST_CHANGE, _LARGEST_CHANGE)) if shift is not None else float(move)
            if abs(move) < 1e-13:
                return outside
        return float("nan")


class ReactionFlow:
    """Reaction and film in series.

    Args:
        rows: Places where lithium passes, and diffusion films on them.
        kinetics: The reaction.
        law: Chemical part of the potential; needed only where stress shifts it.
    """

    def __init__(self, rows: SurfaceRows, kinetics: ButlerVolmer, law: ChemicalLaw | None = None) -> None:
        self._rows, self._kinetics, self._law = rows, kinetics, law
        self._thermal = GAS_CONSTANT * kinetics.temperature / FARADAY
        self.open = np.flatnonzero(rows.areas > 0.0)
        self._filmed = rows.conductance[self.open] > 0.0

    def at(self, x: Array, unknown: float, shift: Shift | None = None) -> Flow:
        """What leaves at a potential [V] of the particle (eqs. 11.5, 13.4)."""
        potential = unknown
        here, area, filmed = x[self.open], self._rows.areas[self.open], self._filmed
        local = None if shift is None else Shift(shift.value[self.open], shift.slope[self.open])
        parts = [area * part for part in self._bare(here, potential, local)]
        if filmed.any():
            behind = None if local is None else Shift(local.value[filmed], local.slope[filmed])
            inner = self._filmed_parts(here[filmed], area[filmed], potential, behind)
            for whole, part in zip(parts, inner):
                whole[filmed] = part
        return _on_rows(len(x), self.open, (parts[0], parts[1], parts[2]))

    def _bare(self, x: Array, potential: float, shift: Shift | None) -> tuple[Array, Array, Array]:
        """Stress shifts the equilibrium voltage by −RT s/F, which acts like a potential higher by RT s/F."""
        if shift is None:
            found = self._kinetics.outflow(x, potential)
            return found.value, found.by_stoichiometry, found.by_potential
        found = self._kinetics.outflow(x, potential + self._thermal * shift.value)
        by_x = found.by_stoichiometry + found.by_potential * self._thermal * shift.slope
        return found.value, by_x, found.by_potential

    def _filmed_parts(self, x: Array, area: Array, potential: float, shift: Shift | None) -> tuple[Array, Array, Array]:
        """The reaction on the far side of a film, where no stress is, and the film's share in its derivatives."""
        conductance = self._rows.conductance[self.open][self._filmed]
        behind = x
        for _ in range(_LOCAL_STEPS):
            reaction = self._kinetics.outflow(behind, potential)
            carried, _, by_behind = through_film(x, behind, self._law, shift)
            slope = area * np.maximum(reaction.by_stoichiometry, 0.0) - conductance * by_behind
            change = (conductance * carried - area * reaction.value) / slope
            change = np.clip(change, -_LARGEST_CHANGE, _LARGEST_CHANGE)
            behind = behind + change
            if np.abs(change).max(initial=0.0) < 1e-14:
                break
        reaction = self._kinetics.outflow(behind, potential)
        _, by_x, by_behind = through_film(x, behind, self._law, shift)
        slope = area * np.maximum(reaction.by_stoichiometry, 0.0)
        total = slope - conductance * by_behind
        return (
            area * reaction.value,
            slope * conductance * by_x / total,
            -area * reaction.by_potential * conductance * by_behind / total,
        )

    def unknown_of(self, x: Array, inflow: float, start: float, shift: Shift | None = None) -> float:
        """Potential [V] at which the surface passes a current: what leaves rises with it, so bracketed Newton finds it.

        Args:
            x: Lithium at the owned degrees of freedom.
            inflow: Lithium that enters [µm³/s].
            start: First guess; NaN for none.
            shift: Stress part of the potential there.
        """
        comm, start = self._rows.comm, start if np.isfinite(start) else self._mean_voltage(x)
        low, high, potential = start - 5.0, start + 5.0, start
        for _ in range(_POTENTIAL_STEPS):
            flow = self.at(x, potential, shift)
            total = np.zeros(2)
            comm.Allreduce(np.array([flow.value.sum(), flow.by_unknown.sum()]), total)
            miss = total[0] + inflow
            low, high = (low, potential) if miss > 0.0 else (potential, high)
            newton = float(potential - miss / total[1])
            following = newton if low < newton < high else 0.5 * (low + high)
            if abs(following - potential) < 1e-13:
                return following
            potential = following
        return potential

    def _mean_voltage(self, x: Array) -> float:
        total = np.zeros(2)
        areas = self._rows.areas
        self._rows.comm.Allreduce(np.array([areas @ self._kinetics.equilibrium(x), areas.sum()]), total)
        return float(total[0] / total[1])


def through_film(x: Array, outside: Array, law: ChemicalLaw | None, shift: Shift | None) -> tuple[Array, Array, Array]:
    """What a film of unit conductance carries outwards, and its derivatives by x and by the outside stoichiometry.

    The film's outer side is in equilibrium with an unstressed crystal, its inner side with the stressed one: the film
    counts as two more sites of eq. 13.4.
    """
    if shift is None:
        one = np.ones_like(x)
        return x - outside, one, -one
    if law is None:
        raise ValueError("stress on a film needs the chemical part of the potential")
    mean = mobility(x, outside, nodes_of(law, x), nodes_of(law, outside))
    return (
        x - outside + mean.value * shift.value,
        1.0 + mean.by_first * shift.value + mean.value * shift.slope,
        -1.0 + mean.by_second * shift.value,
    )


def _on_rows(size: int, places: NDArray[np.int64], parts: tuple[Array, Array, Array]) -> Flow:
    result = [np.zeros(size) for _ in range(3)]
    for whole, part in zip(result, parts):
        whole[places] = part
    return Flow(*result)
