"""Figures of docs/verification.md, drawn from the results of the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

import closed_forms as exact
import matplotlib as mpl
import numpy as np
from convergence import Convergence
from diffusion_cases import TAU, Profile, ToleranceOutcome
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray
from PIL import Image
from sphere_cases import CORE_SHELL, PEAK_STRESS, PEAK_TIME, CoreShellStress, SphereStress

from solver.report.style import BLACK, BLUE, GREEN, ORANGE, SETTINGS, VERMILION, new_figure

Array = NDArray[np.float64]

_RESOLUTION, _PALETTE = 150, 128
_GREY, _TEXT = "#8c8c8c", "#595959"
_LINE = np.linspace(0.0, 1.0, 401)
_MARKERS = ("o", "s", "^", "D")
_COLOURS = (BLUE, VERMILION, GREEN, ORANGE)


class Drawer:
    """Draws figures into a folder as verification-NAME.png."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _save(self, figure: Figure, name: str) -> None:
        """A PNG of few colours: a third of the size, and nothing to see of it in line drawings."""
        full = BytesIO()
        figure.savefig(full, format="png", dpi=_RESOLUTION)
        picture = Image.open(full).convert("RGB").quantize(_PALETTE, dither=Image.Dither.NONE)
        picture.save(self._folder / f"verification-{name}.png", optimize=True)

    def lithium(self, held: Sequence[Profile], driven: Sequence[Profile], taus: Sequence[float], lead: Array) -> None:
        """V1 and V2: profiles, errors, and the lead of the surface."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(8.4, 6.4)
            first, second, third, fourth = figure.subplots(2, 2).flat
            _profile(first, held[:2], exact.held_surface(_LINE, TAU), "(x − x₀) / (x$_s$ − x₀)")
            first.set_title(f"V1: held surface, τ = {TAU}")
            _profile(second, driven[:2], exact.constant_flux(_LINE, TAU), "(x − x₀) D / (J R)")
            second.set_title(f"V2: constant flux, τ = {TAU}")
            errors = {
                label: Convergence.of((item.levels, item.error) for item in items)
                for label, items in (("V1", held), ("V2", driven))
            }
            _rates(third, errors, "cells along R", order=2)
            third.set_ylabel("largest error / range")
            third.set_title("Error at the worst vertex")
            times = np.linspace(1e-3, max(taus), 300)
            fourth.plot(times, exact.surface_lead(times), color=BLACK, label="closed form")
            fourth.plot(taus, lead, "o", color=BLUE, label="computed, 14 cells")
            fourth.axhline(0.2, color=_GREY, linewidth=1.0, linestyle=":")
            fourth.set(xlabel="τ = D t / R²", ylabel="(x$_s$ − mean x) D / (J R)", ylim=(0.0, 0.22))
            fourth.set_title("Constant flux: the surface ahead of the mean")
            fourth.legend(loc="lower right")
            self._save(figure, "lithium")

    def sphere_stress(
        self,
        parabolas: Mapping[int, SphereStress],
        held: SphereStress,
        taus: Sequence[float],
        centre: Array,
    ) -> None:
        """V3: profiles of both cases, errors, and the rise and fall of the centre stress."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(8.4, 6.4)
            first, second, third, fourth = figure.subplots(2, 2).flat
            levels, coarsest = next(iter(parabolas.items()))
            _stress_profile(first, coarsest, exact.parabola_stress(_LINE))
            first.set(ylabel="stress / A")
            first.set_title(f"Quasi-steady parabola, {levels} cells along R")
            radial, hoop = exact.sphere_stress(_LINE, lambda r: exact.held_surface(r, PEAK_TIME))
            unit = abs(hoop[-1])
            _stress_profile(second, held, (radial / unit, hoop / unit))
            second.set(ylabel="stress / |σ$_θ$(R)|")
            second.set_title(f"Lithium and stress in one run, τ = {PEAK_TIME}")
            errors = {
                label: Convergence.of((levels, getattr(item, name)) for levels, item in parabolas.items())
                for label, name in (("root mean square", "rms"), ("largest below 0.95 R", "largest_inside"))
            }
            _rates(third, errors, "cells along R", order=2)
            third.set_ylabel("error / A")
            third.set_title("Parabola: error of the stress tensor")
            fine = np.linspace(min(taus), max(taus), 60)
            closed = [exact.sphere_stress(np.zeros(1), lambda r, t=t: exact.held_surface(r, t))[0][0] for t in fine]
            fourth.plot(fine, closed, color=BLACK, label="closed form")
            fourth.plot(taus, centre, "o", color=BLUE, label="computed, 8 cells")
            fourth.plot([PEAK_TIME], [PEAK_STRESS], "*", color=VERMILION, markersize=11, label="printed maximum")
            fourth.set(xlabel="τ = D t / R²", ylabel="σ(r = 0) · 3(1 − ν) / (E Ω Δc)")
            fourth.set_title("Held surface: stress in the centre")
            fourth.legend(loc="lower center")
            self._save(figure, "sphere-stress")

    def particle_mesh(self, made: Sequence[SphereStress], balls: Sequence[SphereStress], limit: float) -> None:
        """V3 on meshes of particles: error against unknowns."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(6.4, 4.0)
            axes = figure.subplots()
            curves = (
                ("particle mesh, worst centroid", made, "largest_of_cells", BLUE, "o-"),
                ("particle mesh, root mean square", made, "rms", BLUE, "o--"),
                ("nested spheres, worst centroid", balls, "largest_of_cells", ORANGE, "s-"),
                ("nested spheres, root mean square", balls, "rms", ORANGE, "s--"),
            )
            for label, results, name, colour, style in curves:
                numbers = [100 * getattr(item, name) for item in results]
                axes.loglog([item.unknowns for item in results], numbers, style, color=colour, label=label)
            _limit(axes, 100 * limit, f"limit at 130 000: {100 * limit:.1f} %", "right")
            axes.set(xlabel="displacement unknowns", ylabel="error / A  [%]")
            axes.set_title("Stress of a sphere on two kinds of meshes")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace(",", " "))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.set_minor_formatter(NullFormatter())
            axes.legend(loc="lower left")
            self._save(figure, "particle-mesh")

    def core_shell(self, result: CoreShellStress) -> None:
        """V5: radial and hoop stress."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(7.6, 3.6)
            left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
            chosen = np.random.default_rng(0).permutation(result.radius.size)[:4000]
            for axes, area in ((left, (0.0, 1.0)), (right, (0.86, 1.0))):
                for name, values, colour in (("radial", result.radial, BLUE), ("hoop", result.hoop, VERMILION)):
                    axes.plot(result.radius.flat[chosen], values.flat[chosen] / 1000, ".", color=colour,
                              markersize=3.5, alpha=0.5, rasterized=True, label=f"σ {name}")  # fmt: skip
                for part in (np.linspace(area[0], 0.8999, 100), np.linspace(CORE_SHELL.ratio, 1.0, 100)):
                    for values in CORE_SHELL.stress(part):
                        axes.plot(part, values / 1000, color=BLACK, linewidth=1.2)
                axes.set(xlabel="r / b", xlim=area)
            left.set_ylabel("stress  [GPa]")
            left.set_title("Core and shell")
            left.legend(loc="lower left", markerscale=3)
            right.set_title("Shell, and the core next to it")
            hoops = CORE_SHELL.stress(np.array([CORE_SHELL.ratio, 1.0]))[1] / 1000
            for place, hoop, shift, side in ((0.9, hoops[0], (8, -12), "left"), (1.0, hoops[1], (-2, 9), "right")):
                right.annotate(f"{hoop:.4f}".replace("-", "−"), (place, hoop), shift, textcoords="offset points",
                               ha=side, fontsize=9)  # fmt: skip
            right.annotate(f"−p = {-CORE_SHELL.pressure / 1000:.5f}", (0.865, -CORE_SHELL.pressure / 1000), (0, -13),
                           textcoords="offset points", fontsize=9)  # fmt: skip
            right.set_ylim(-2.45, 0.75)
            self._save(figure, "core-shell")

    def rates(self, space: Convergence, time: Convergence, displacement: Convergence, strains: Convergence) -> None:
        """Rates of convergence in lithium and in displacement."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(9.6, 3.5)
            first, second, third = figure.subplots(1, 3)
            _rates(first, {"amplitude": space}, "cells along an edge", order=2)
            _rates(second, {"largest error": time}, "steps", order=2)
            _rates(third, {"displacement": displacement, "strain": strains}, "cells along an edge", order=3)
            first.set(ylabel="error of x")
            second.set(ylabel="error of x")
            third.set(ylabel="L² error")
            first.set_title("Lithium, space")
            second.set_title("Lithium, time")
            third.set_title("Manufactured displacement")
            self._save(figure, "rates")

    def tolerance(self, outcomes: Mapping[str, Sequence[ToleranceOutcome]]) -> None:
        """Error over tolerance and number of steps."""
        with mpl.rc_context(SETTINGS):
            figure = new_figure(8.4, 3.5)
            left, right = figure.subplots(1, 2)
            for (kinetics, items), colour, marker in zip(outcomes.items(), _COLOURS, _MARKERS, strict=False):
                asked = [item.asked for item in items]
                left.semilogx(asked, [item.share for item in items], marker + "-", color=colour, label=kinetics)
                right.loglog(asked, [item.accepted for item in items], marker + "-", color=colour, label=kinetics)
            _limit(left, 1.0, "allowed", "left")
            left.set(ylabel="error / requested tolerance", ylim=(0.0, 1.1))
            left.set_title("Is the tolerance met?")
            right.set(ylabel="accepted steps")
            right.set_title("What it takes")
            right.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            right.yaxis.set_minor_formatter(NullFormatter())
            for axes in (left, right):
                axes.set_xlabel("requested tolerance of x")
                axes.invert_xaxis()
            left.legend(loc="center right")
            self._save(figure, "tolerance")


def _profile(axes: Axes, profiles: Sequence[Profile], closed: Array, label: str) -> None:
    axes.plot(_LINE, closed, color=BLACK, linewidth=1.2, label="closed form")
    for item, colour, marker in zip(profiles, (ORANGE, BLUE), ("s", "o"), strict=False):
        # One dot per distinct place and value: vertices of one shell differ by less than a dot.
        dots = np.unique(np.round(np.column_stack([item.radius, item.values]), 3), axis=0)
        axes.plot(*dots.T, marker, color=colour, markersize=3.5, label=f"computed, {item.levels} cells along R")
    axes.set(xlabel="r / R", ylabel=label)
    axes.legend(loc="upper left")


def _stress_profile(axes: Axes, result: SphereStress, closed: tuple[Array, Array]) -> None:
    chosen = np.random.default_rng(0).permutation(result.radius.size)[:1500]
    for name, values, line, colour in (
        ("r", result.radial, closed[0], BLUE),
        ("θ", result.hoop, closed[1], VERMILION),
    ):
        axes.plot(result.radius.flat[chosen], values.flat[chosen], ".", color=colour, markersize=3.5, alpha=0.5)
        axes.plot([], [], ".", color=colour, markersize=8, label=f"σ$_{name}$ computed")
        axes.plot(_LINE, line, color=BLACK, linewidth=1.2)
    axes.plot([], [], color=BLACK, linewidth=1.2, label="closed form")
    axes.set_xlabel("r / R")
    axes.legend(loc="lower left")


def _limit(axes: Axes, value: float, text: str, side: Literal["left", "right"]) -> None:
    """A dotted line across, with its meaning at one end."""
    axes.axhline(value, color=_GREY, linewidth=1.0, linestyle=":")
    place = {"left": 0.01, "right": 0.99}[side]
    axes.text(place, value, text, transform=axes.get_yaxis_transform(), ha=side, va="bottom", fontsize=9, color=_TEXT)


def _rates(axes: Axes, curves: Mapping[str, Convergence], label: str, order: int) -> None:
    """Errors against the number of cells or steps, with fitted rates in the legend and a slope to compare with."""
    for (name, item), colour, marker in zip(curves.items(), _COLOURS, _MARKERS, strict=False):
        axes.loglog(item.counts, item.errors, marker + "-", color=colour, label=f"{name}: rate {item.fitted:.2f}")
    lowest = min(curves.values(), key=lambda item: item.errors[-1])
    ends = lowest.counts[-1] * np.array([0.45, 1.0])
    guide = 0.5 * lowest.errors[-1] * (ends[1] / ends) ** order
    axes.loglog(ends, guide, color=_GREY, linewidth=1.2, linestyle="--")
    axes.annotate(f"order {order}", (ends[0], guide[0]), (-4, -4), textcoords="offset points", color=_TEXT,
                  fontsize=9, va="center", ha="right")  # fmt: skip
    axes.set_xlabel(label)
    axes.set_xticks(lowest.counts, map(str, lowest.counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper right")
    axes.set_ylim(top=4 * max(max(item.errors) for item in curves.values()))
