"""Random particle descriptions over all options and combinations, small enough to mesh in seconds."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Described = dict[str, Any]


def _percent(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high).map(lambda value: f"{value:.3g} %")


def _micrometres(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high).map(lambda value: f"{value:.3g} um")


_SEED = st.integers(0, 1000)
_MATERIALS = st.sampled_from(["EEC", "LPSCl"])
_TEXTURES = st.sampled_from(
    [
        {},
        {"orientation": "radial"},
        {"orientation": "tangential", "orientation_scatter": "10 deg"},
        {"orientation": {"axis": [1.0, 1.0, 0.0]}, "orientation_scatter": "50 deg"},
        {"orientation": "random", "orientation_scatter": "10 deg"},
    ]
)

_GRAINS = st.fixed_dictionaries(
    {"seed": _SEED},
    optional={
        "spread": _percent(0.0, 60.0),
        "relaxation": st.integers(0, 3),
        "elongation": st.sampled_from([1.0, 1.0, 1.5, 3.0]),
        "orientation_seed": _SEED,
    },
)
_COUNT = st.one_of(
    st.integers(1, 16).map(lambda count: {"count": count}),
    st.sampled_from([1.2, 2.0, 6.0]).map(
        lambda share: {"mean_diameter": share}
    ),  # over the radius; made a length below
)
_ROUGHNESS = st.fixed_dictionaries(
    {"amplitude": _percent(0.2, 5.0), "wavelength": _percent(60.0, 200.0)}, optional={"seed": _SEED}
)


def _pores(radius: float) -> st.SearchStrategy[Described]:
    # In a cross-section all pores are made: those too small to matter in a test are left out.
    common = st.fixed_dictionaries(
        {"detail": _percent(0.5, 5.0), "smallest": st.just(f"{min(0.03, 3e-3 * radius**3):.2g} um^3")},
        optional={
            "giant": st.booleans(),
            "wetted": st.one_of(st.sampled_from(["none", "connected", "all"]), _percent(0.0, 100.0)),
            "seed": _SEED,
        },
    )
    laws = st.sampled_from(["gp-ncm", "p-ncm", "gp-ni96", "p-ni96"]).map(lambda law: {"law": law})
    profiles = st.floats(0.0, 0.2).map(lambda inner: {"profile": [[0.5, inner], [1.0, 0.05]], "basis": "local"})
    return st.builds(lambda one, two: {**one, **two}, common, st.one_of(laws, profiles))


def _void(radius: float) -> st.SearchStrategy[Described]:
    return st.fixed_dictionaries(
        {"radius": _micrometres(0.05 * radius, 0.7 * radius)},
        optional={"open": st.booleans(), "channel_radius": _micrometres(0.05 * radius, 0.3 * radius)},
    )


def _coating(radius: float) -> st.SearchStrategy[Described]:
    return st.fixed_dictionaries(
        {"material": _MATERIALS, "thickness": _micrometres(0.001 * radius, 0.2 * radius)},
        optional={
            "model": st.sampled_from(["auto", "membrane", "shell"]),
            "elements": st.integers(1, 3),
            "coverage": st.one_of(st.just("100 %"), _percent(5.0, 100.0)),
            "island_size": _percent(10.0, 100.0),
            "seed": _SEED,
        },
    )


def _coatings(radius: float) -> st.SearchStrategy[Any]:
    return st.one_of(_coating(radius), st.lists(_coating(radius), min_size=1, max_size=3))


_MATRIX = st.fixed_dictionaries(
    {"material": st.just("LPSCl")},
    optional={
        "shape": st.sampled_from(["sphere", "box"]),
        "volume_fraction": _percent(5.0, 90.0),
        "interface": st.sampled_from(["bonded", "limited"]),
        "plastic": st.booleans(),
        "coverage": st.one_of(st.just("100 %"), _percent(10.0, 100.0)),
        "island_size": _percent(10.0, 100.0),
        "seed": _SEED,
    },
)


@st.composite
def descriptions(draw: st.DrawFn) -> Described:
    """Data of a `particle` section: valid by itself, though its options need not go together.

    Every part is there in a third of the cases, so that most have two or three of them.
    """

    def perhaps(name: str, strategy: st.SearchStrategy[Any]) -> Described:
        return {name: draw(strategy)} if draw(st.integers(0, 2)) == 0 else {}

    radius = draw(st.sampled_from([0.5, 2.0, 5.0]))
    grains = {**draw(_GRAINS), **draw(_COUNT), **draw(_TEXTURES)}
    plain = draw(st.sampled_from([{}, {}, {}, {}, {"shape": "faceted"}, {"sector": "eighth"}]))
    if plain and draw(st.integers(0, 3)):  # mostly with what goes together with it
        layers = {**perhaps("coating", _coatings(radius)), **perhaps("matrix", _MATRIX)}
        return {"radius": f"{radius} um", **plain, **layers, **({} if "shape" in plain else {"grains": {"count": 3}})}
    if "mean_diameter" in grains:
        grains["mean_diameter"] = f"{grains['mean_diameter'] * radius / 3.0:.4g} um"
    return {
        "radius": f"{radius} um",
        "mesh": {
            "time_limit": 60,
            **perhaps("size", st.floats(0.08, 0.25).map(lambda share: f"{share * radius:.3g} um")),
        },
        "grains": grains,
        **perhaps("aspect_ratio", st.floats(0.5, 2.0)),
        **plain,
        **perhaps("dimension", st.just(2)),
        **perhaps("roughness", _ROUGHNESS),
        **perhaps("pores", _pores(radius)),
        **perhaps("void", _void(radius)),
        **perhaps("coating", _coatings(radius)),
        **perhaps("matrix", _MATRIX),
    }
