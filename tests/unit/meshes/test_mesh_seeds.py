from __future__ import annotations

import numpy as np
import pytest

from meshes.errors import MeshError
from meshes.particle import Grains, Particle
from meshes.power_diagram import PowerLabels, cell_measures, power_diagram
from meshes.seeds import grain_count, move_seed, place_seeds
from meshes.spheroid import Spheroid
from meshes.statistics import equivalent_diameters


@pytest.mark.parametrize("relaxation", [0, 2])
@pytest.mark.parametrize(("count", "spread"), [(1, "30 %"), (2, "60 %"), (3, "40 %"), (100, "0 %"), (100, "60 %")])
def test_every_cell_has_its_target_volume(count: int, spread: str, relaxation: int) -> None:
    domain = Spheroid(5.0, 1.5)
    grains = Grains(count=count, spread=spread, relaxation=relaxation, seed=7)
    seeds = place_seeds(Particle(aspect_ratio=1.5, grains=grains), domain)
    volumes = cell_measures(power_diagram(seeds.positions, seeds.weights, domain), domain).volumes
    assert np.abs(volumes / seeds.target_volumes - 1.0).max() < 1e-4
    assert volumes.sum() == pytest.approx(domain.volume)


@pytest.mark.parametrize("spread", [0.1, 0.3, 0.5])
def test_diameters_follow_the_log_normal_law(spread: float) -> None:
    """Stratified sampling of 400: the coefficient of variation is met to a few per cent (seen: 1 %)."""
    particle = Particle(grains=Grains(count=400, spread=spread, relaxation=0))
    diameters = equivalent_diameters(place_seeds(particle, Spheroid(5.0)).target_volumes)
    assert diameters.std() / diameters.mean() == pytest.approx(spread, rel=0.05)
    logarithm = np.log(diameters)
    assert abs(np.mean(((logarithm - logarithm.mean()) / logarithm.std()) ** 3)) < 0.2  # no skew


def test_mean_diameter_gives_that_mean_diameter() -> None:
    particle = Particle(grains=Grains(mean_diameter="1.5 um", spread="40 %", relaxation=0))
    seeds = place_seeds(particle, Spheroid(5.0))
    assert len(seeds.positions) == grain_count(particle)
    # Rounding to a whole number of grains and the sampled tail: within 3 %.
    assert equivalent_diameters(seeds.target_volumes).mean() == pytest.approx(1.5, rel=0.03)


@pytest.mark.parametrize("diameter", ["30 um", "0.05 um"])
def test_impossible_mean_diameters_are_explained(diameter: str) -> None:
    with pytest.raises(MeshError, match="choose a diameter"):
        grain_count(Particle(grains=Grains(mean_diameter=diameter)))


def test_same_seed_same_grains_other_seed_other_grains() -> None:
    def positions(seed: int) -> np.ndarray:
        return place_seeds(Particle(grains=Grains(count=20, seed=seed)), Spheroid(5.0)).positions

    assert np.array_equal(positions(3), positions(3))
    assert not np.array_equal(positions(3), positions(4))


def test_relaxation_moves_seeds_to_the_middle_of_their_cells() -> None:
    """The mean distance from a seed to its cell's centroid (of 100 000 points) falls by half in four sweeps."""
    sample = 5.0 * np.random.default_rng(1).uniform(-1.0, 1.0, (100_000, 3))
    sample = sample[np.linalg.norm(sample, axis=1) < 5.0]

    def distance(sweeps: int) -> float:
        seeds = place_seeds(Particle(grains=Grains(count=30, relaxation=sweeps, spread="20 %")), Spheroid(5.0))
        cell = PowerLabels(seeds.positions, seeds.weights)(sample)
        sums = np.column_stack([np.bincount(cell, sample[:, axis], 30) for axis in range(3)])
        return float(np.linalg.norm(sums / np.bincount(cell)[:, None] - seeds.positions, axis=1).mean())

    assert distance(4) < 0.5 * distance(0)


def test_a_moved_seed_stays_inside_and_volumes_are_fitted_anew() -> None:
    domain = Spheroid(5.0, 2.0)
    seeds = place_seeds(Particle(aspect_ratio=2.0, grains=Grains(count=15)), domain)
    outermost = int(np.linalg.norm(domain.to_ball(seeds.positions), axis=1).argmax())
    moved = move_seed(seeds, outermost, domain, np.random.default_rng(0))
    assert not np.array_equal(moved.positions[outermost], seeds.positions[outermost])
    assert np.linalg.norm(domain.to_ball(moved.positions), axis=1).max() < 1.0
    volumes = cell_measures(power_diagram(moved.positions, moved.weights, domain), domain).volumes
    assert np.abs(volumes / seeds.target_volumes - 1.0).max() < 1e-4
