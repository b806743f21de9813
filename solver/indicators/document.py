"""docs/indicators.md from the definitions, so that the page cannot disagree with the program.

`python -m solver.indicators.document > docs/indicators.md`
"""

from __future__ import annotations

from collections.abc import Iterator

from solver.indicators.definition import Definition
from solver.indicators.percentiles import LEVELS
from solver.indicators.registry import DEFINITIONS_VERSION, INDICATORS
from solver.indicators.settings import IndicatorSettings

_HEAD = """\
# Indicators

Every output state of a run is boiled down to the numbers below: one row of `history.csv` per state, one column per
number, units in the header. `summary.json` has the final and the extreme value of each, and the console shows the most
telling ones. This page is written from the program: `python -m solver.indicators.document > docs/indicators.md`.
Equation numbers are those of the [theory](theory.md). Version of the definitions: {version}; it is in `summary.json`
too and changes whenever a number changes its meaning.

## How to read them

- **No bare maximum.** In a polycrystal the stress grows without limit towards the lines where grains meet, so the
  largest value of a mesh says more about the mesh than about the particle. Percentiles, averages over facets and
  faces, and averages over a declared length stay put when the mesh is refined. `first_principal_max` is there to show
  the difference, not to be quoted.
- **Averages of the tensor first.** Stress is averaged over a cell, a facet or the declared length ℓ
  (`indicators.length` of the case) as a tensor, and turned into principal values, tractions and risks after.
- **Weights.** Percentiles in the grains are by volume, on boundaries by area: the 95th percentile of the normal
  traction is exceeded on 5 % of the grain-boundary area. A percentile is always a value that occurs (eq. 4.1).
- **An extent and a peak.** Designs may be ranked one way by how much is overloaded (shares above a threshold, energy)
  and another way by the worst spot (99th percentile, non-local maximum). Look at both before ranking.
- **Mismatch and gradient.** The mismatch part is the stress of the same particle with its lithium spread evenly: grains
  of different orientation pull at each other, at any rate. The gradient part is the rest, and grows with the rate.
  Percentiles of the parts do not add up to those of the total.
- **Strengths are poorly known.** So the area above four tractions is reported instead of one verdict: 100 MPa is common
  in models and has no measurement behind it; 745 MPa is the scale strength of three micro-tensile specimens. The
  strengths in the boundary risk R are `indicators.normal_strength` and `indicators.shear_strength` of the case, by
  default those of the middle set of grain boundaries in the [materials](materials.md).
- **Elastic numbers.** Nothing cracks, glides or relaxes in this model, so tractions far above a strength say that the
  boundary would have opened long before, not that such a stress would be carried.
- **Guards.** A lithium imbalance above 1e-8 or a stress imbalance above 1e-4 means a solution not to be used. The
  traction jump, the mean difference between the tractions on the two sides of a boundary, falls with the mesh size; the
  percentiles of the mean of both sides converge much faster than it.
- **Sections.** With `particle.dimension: 2` areas stand for volumes and lengths for areas, as of a slab 1 µm thick:
  um^3, um^2 and pJ are per micrometre of thickness, r/R is that of a circle.

An empty cell is a number that is not defined: boundaries of a single crystal, stress without mechanics, the worst
region of an unstressed particle.

In the tables, thresholds, the length and the Weibull constants are the defaults; those of a run are in its
`case.resolved.json`.
"""


def page() -> str:
    """The whole page."""
    return _HEAD.format(version=DEFINITIONS_VERSION) + "".join(_sections(IndicatorSettings()))


def _sections(settings: IndicatorSettings) -> Iterator[str]:
    for indicator in INDICATORS:
        yield f"\n## {indicator.name[0].upper()}{indicator.name[1:]}\n\n"
        yield "| column | unit | what it is | eq. | compare with |\n| --- | --- | --- | --- | --- |\n"
        yield from (_row(definition) for definition in _merged(indicator.definitions(settings)))


def _merged(definitions: tuple[Definition, ...]) -> Iterator[Definition]:
    """The definitions with the three percentiles of a field in one row."""
    first, *others = (f"_p{level:g}" for level in LEVELS)
    together = {definition.key.removesuffix(first) for definition in definitions if definition.key.endswith(first)}
    for definition in definitions:
        stem, _, suffix = definition.key.rpartition("_")
        if stem in together and f"_{suffix}" in others:
            continue
        if stem in together and f"_{suffix}" == first:
            levels = ", ".join(f"{level:g}th" for level in LEVELS)
            meaning = definition.meaning.replace(f"{LEVELS[0]:g}th percentile", f"{levels} percentile")
            keys = "`, `".join([definition.key, *others])
            definition = Definition(keys, definition.unit, meaning, definition.equation, definition.threshold)
        yield definition


def _row(definition: Definition) -> str:
    meaning, threshold = (text.replace("|", "\\|") for text in (definition.meaning, definition.threshold))
    return f"| `{definition.key}` | {definition.unit} | {meaning} | {definition.equation} | {threshold} |\n"


if __name__ == "__main__":
    print(page(), end="")
