"""Designs of experiments: which values of the axes are run together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from solver.case.checks import Finding
from solver.case.document import shorten
from solver.sweep.axes import Choice, Levels
from solver.sweep.schema import MAXIMUM_RUNS, SAMPLED, Sweep

Point = tuple[Choice, ...]


@dataclass(frozen=True)
class Factor:
    """What moves on its own: an axis, or a group of axes that move together.

    Attributes:
        axes: Its axes.
        name: Name of the group, or of the axis.
    """

    axes: tuple[Levels, ...]
    name: str

    @property
    def count(self) -> int:
        """How many values it has; 0 for ranges without steps."""
        return min(len(axis.choices) for axis in self.axes)

    def level(self, number: int) -> Point:
        """Its values with a number."""
        return tuple(axis.choices[number] for axis in self.axes)

    def share(self, share: float) -> Point:
        """Its values at a share, 0 to 1, of its ranges, or of the list of its values."""
        if self.count:
            return self.level(min(int(share * self.count), self.count - 1))
        return tuple(axis.between(share) for axis in self.axes if axis.between is not None)


def make_factors(sweep: Sweep, axes: Sequence[Levels]) -> tuple[list[Factor], list[Finding]]:
    """The factors of a sweep, groups in the place of their first axis, and what is wrong with them."""
    by_name = {name: axis for axis in axes for name in (axis.label, axis.name)}
    findings: list[Finding] = []
    owner: dict[str, str] = {}
    for group, names in sweep.groups.items():
        for number, name in enumerate(names):
            place = ("groups", group, number)
            axis = by_name.get(name)
            if axis is None:
                findings.append(Finding(place, f'"{shorten(name)}" is no axis; write one of {", ".join(sweep.axes)}'))
            elif axis.name in owner:
                findings.append(Finding(place, f'"{name}" is in the group "{owner[axis.name]}" already; keep one'))
            else:
                owner[axis.name] = group
    factors: dict[str, list[Levels]] = {}
    for axis in axes:
        factors.setdefault(f"group {owner[axis.name]}" if axis.name in owner else axis.name, []).append(axis)
    made = [Factor(tuple(members), name) for name, members in factors.items()]
    return made, findings + [found for factor in made for found in _uneven(sweep, factor)]


def _uneven(sweep: Sweep, factor: Factor) -> list[Finding]:
    counts = {axis.name: len(axis.choices) for axis in factor.axes}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count or 'a range without steps'}" for name, count in counts.items())
        group = factor.name.removeprefix("group ")
        return [Finding(("groups", group), f"its axes have different numbers of values: {listed}")]
    if sweep.design not in SAMPLED and not factor.count:
        text = f'a range in a {sweep.design} needs "steps", how many values it has; or write "design: sobol"'
        return [Finding(("axes", axis.name), text) for axis in factor.axes]
    return []


def design_points(sweep: Sweep, factors: Sequence[Factor], seeds: Levels | None) -> list[Point]:
    """The points of a sweep, every one with every seed.

    Raises:
        ValueError: When axes that go together have different numbers of values, or there are too many points.
    """
    points = _MAKERS[sweep.design](sweep, factors)
    replicas: list[Point] = [()] if seeds is None else [(choice,) for choice in seeds.choices]
    if len(points) * len(replicas) > MAXIMUM_RUNS:
        raise ValueError(f"{len(points) * len(replicas)} runs are too many; {MAXIMUM_RUNS} are allowed")
    return [(*point, *replica) for point in points for replica in replicas]


def _grid(sweep: Sweep, factors: Sequence[Factor]) -> list[Point]:
    total = int(np.prod([float(factor.count) for factor in factors]))
    if total > MAXIMUM_RUNS:
        raise ValueError(f"the grid has {total} points, more than {MAXIMUM_RUNS}; write fewer values, or sample")
    levels = ([factor.level(number) for number in range(factor.count)] for factor in factors)
    return [tuple(itertools.chain.from_iterable(parts)) for parts in itertools.product(*levels)]


def _zip(sweep: Sweep, factors: Sequence[Factor]) -> list[Point]:
    counts = {factor.name: factor.count for factor in factors}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise ValueError(f"a zip needs equally many values on every axis: {listed}")
    numbers = range(factors[0].count if factors else 1)
    return [tuple(itertools.chain.from_iterable(factor.level(number) for factor in factors)) for number in numbers]


def _sampled(sweep: Sweep, factors: Sequence[Factor]) -> list[Point]:
    shares = unit_samples(sweep, len(factors))
    return [
        tuple(itertools.chain.from_iterable(factor.share(float(share)) for factor, share in zip(factors, row)))
        for row in shares
    ]


def unit_samples(sweep: Sweep, dimension: int) -> NDArray[np.float64]:
    """(samples, dimension) points in the unit cube, the same for the same seed."""
    assert sweep.samples is not None
    if not dimension:
        return np.zeros((1, 0))
    generator = np.random.default_rng(sweep.sampling_seed)
    if sweep.design == "sobol":
        return qmc.Sobol(dimension, scramble=True, seed=generator).random_base2(sweep.samples.bit_length() - 1)
    return qmc.LatinHypercube(dimension, seed=generator).random(sweep.samples)


_MAKERS: dict[str, Callable[[Sweep, Sequence[Factor]], list[Point]]] = {
    "grid": _grid,
    "zip": _zip,
    "latin-hypercube": _sampled,
    "sobol": _sampled,
}
