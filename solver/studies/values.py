"""Indicators of the runs of a study, read at a state of charge, at the end, at the worst moment, or as a mean."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from solver.compare.members import Member
from solver.compare.values import read_history
from solver.studies.description import END, LAST, MEAN, WORST, state_of_charge

LITHIUM_DIFFERENCE = "lithium_core_minus_rim"


class Runs:
    """Histories of the runs of a study.

    Attributes:
        designs: Names of the designs, in the order of the study.
        seeds: Seeds, rising.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        """Reads all histories.

        Raises:
            OutputError: When one cannot be read.
        """
        self.designs = list(dict.fromkeys(member.design for member in members))
        self.seeds = sorted({member.seed for member in members})
        self._histories = {(member.design, member.seed): history_with_difference(member.folder) for member in members}
        self._capacity = {(member.design, member.seed): _capacity(member.folder) for member in members}

    def histories(self, design: str) -> list[pd.DataFrame]:
        """Tables of all runs of a design, columns by key."""
        return [history for (name, _), history in self._histories.items() if name == design]

    def values(self, design: str, indicator: str, moment: str, *, per_capacity: bool = False) -> pd.Series:
        """One value per seed; NaN where the run is missing or does not reach the moment."""
        found = {}
        for seed in self.seeds:
            if (design, seed) not in self._histories:
                found[seed] = math.nan
                continue
            history = self._histories[design, seed]
            value = read(history, indicator, moment)
            if per_capacity:
                charge = history["state_of_charge"]
                value /= self._capacity[design, seed] * (read(history, "state_of_charge", moment) - charge.iloc[0])
            found[seed] = value
        return pd.Series(found, dtype=float)


def history_with_difference(folder: Path) -> pd.DataFrame:
    """All output states of a run, columns by key, with the difference of lithium between core and rim.

    Raises:
        OutputError: When the history cannot be read.
    """
    table = read_history(folder)
    table[LITHIUM_DIFFERENCE] = table["stoichiometry_core"] - table["stoichiometry_rim"]
    return table


def _capacity(folder: Path) -> float:
    """Theoretical capacity of the material of a run [mAh/g]."""
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return float(record["material"]["theoretical_capacity [mAh/g]"])


def read(history: pd.DataFrame, indicator: str, moment: str) -> float:
    """One indicator of one run at a moment.

    `end` is the last state in which lithium still left, before any rest, `last` the one after it; `worst` the largest
    value of all states; `mean` the mean over the time from the first to the last state. At a state of charge the value
    is interpolated between output states, and NaN beyond what the run covers.
    """
    values = history[indicator].to_numpy(dtype=float)
    charge = history["state_of_charge"].to_numpy(dtype=float)
    if moment == WORST:
        return float(np.nanmax(values))
    if moment == MEAN:
        time, values = history["time"].to_numpy(dtype=float), np.nan_to_num(values)
        return float(np.trapezoid(values, time) / (time[-1] - time[0]))
    if moment == LAST:
        return float(values[-1])
    rising = np.concatenate([[True], np.diff(charge) > 1e-9])
    charge, values = charge[rising], values[rising]
    if moment == END:
        return float(values[-1])
    asked = state_of_charge(moment)
    known = np.isfinite(values)
    if not known.any() or not charge[known].min() - 1e-6 <= asked <= charge[known].max() + 1e-6:
        return float("nan")
    return float(np.interp(asked, charge[known], values[known]))
