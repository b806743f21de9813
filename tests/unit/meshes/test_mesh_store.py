from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import meshio
import numpy as np
import pytest

from meshes import store
from meshes.errors import MeshError
from meshes.msh_file import write_msh
from meshes.particle import FixedOrientation, Grains, MeshFile, MeshOptions, Particle
from meshes.particle_mesh import ParticleMesh, grain_volumes
from meshes.statistics import MeshReport

HERE = Path()
COARSE = MeshOptions(size="1.5 um")
PARTICLE = Particle(grains=Grains(count=4, seed=3), mesh=COARSE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "meshes"


def test_built_once_then_reused(folder: Path) -> None:
    lines: list[str] = []
    first = store.obtain(PARTICLE, HERE, lines.append, folder)
    assert not first.reused
    assert lines
    second = store.obtain(PARTICLE, HERE, None, folder)
    assert second.reused
    assert (second.path, second.key, second.report) == (first.path, first.key, first.report)
    mesh = store.load(first.path)
    assert mesh.grain_count == first.report.grains == 4
    assert grain_volumes(mesh).sum() == pytest.approx(first.report.volume)
    assert {path.suffix for path in folder.iterdir()} == {".msh", ".json", ".lock"}


def test_the_same_description_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    one = store.obtain(PARTICLE, HERE, None, folder)
    two = store.obtain(PARTICLE, HERE, None, tmp_path / "elsewhere")
    assert one.key == two.key
    assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"grains": Grains(count=4, seed=3, orientation="radial", orientation_seed=9)}, True),
        ({"grains": Grains(count=4, seed=3, orientation=FixedOrientation(axis=[0.0, 0.0, 1.0]))}, True),
        ({"mesh": MeshOptions(size="1.5 um", time_limit=20)}, True),
        ({"mesh": MeshOptions(size="1.4 um")}, False),
        ({"grains": Grains(count=4, seed=4)}, False),
        ({"grains": Grains(count=4, seed=3, spread="20 %")}, False),
        ({"radius": "4 um"}, False),
        ({"aspect_ratio": 1.1}, False),
    ],
)
def test_the_key_holds_what_decides_the_mesh(changes: dict, same: bool) -> None:
    changed = Particle(**{"grains": PARTICLE.grains, "mesh": COARSE, **changes})
    assert (store.mesh_key(changed, HERE) == store.mesh_key(PARTICLE, HERE)) is same


@pytest.mark.parametrize("damage", ["cut", "flipped", "record", "no mesh", "old record"])
def test_damaged_entries_are_made_again(folder: Path, damage: str) -> None:
    first = store.obtain(PARTICLE, HERE, None, folder)
    content = first.path.read_bytes()
    record = first.path.with_suffix(".json")
    if damage == "cut":
        first.path.write_bytes(content[:1000])
    elif damage == "flipped":
        first.path.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == "record":
        record.write_text(record.read_text()[:50])
    elif damage == "no mesh":
        first.path.unlink()
    else:
        data = json.loads(record.read_text())
        del data["report"]["cells"]
        record.write_text(json.dumps(data))
    lines: list[str] = []
    second = store.obtain(PARTICLE, HERE, lines.append, folder)
    assert not second.reused
    assert lines[0] == "the stored mesh is damaged; making it again"
    assert second.path.read_bytes() == content


def test_two_runs_at_once_build_once(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom meshes import store\n"
        "from meshes.particle import Grains, MeshOptions, Particle\n"
        "particle = Particle(grains=Grains(count=4, seed=3), mesh=MeshOptions(size='1.5 um'))\n"
        "stored = store.obtain(particle, Path(), None, Path(sys.argv[1]))\n"
        "print(stored.reused, stored.path)\n"
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(store.__file__).parent.parent))
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [run.communicate(timeout=120)[0].split() for run in runs]
    assert sorted(reused for reused, _ in answers) == ["False", "True", "True"]
    assert len({path for _, path in answers}) == 1


def test_a_waiting_run_says_so(folder: Path) -> None:
    folder.mkdir()
    key = store.mesh_key(PARTICLE, HERE)
    holder = (
        "import sys, time\nfrom filelock import FileLock\n"
        "with FileLock(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(1.5)\n"
    )
    command = [sys.executable, "-c", holder, str(folder / f"{key}.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        lines: list[str] = []
        start = time.monotonic()
        store.obtain(PARTICLE, HERE, lines.append, folder)
        assert time.monotonic() - start > 1.0
    assert lines[0] == "another run makes this mesh; waiting for it"


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VEGARD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.default_store() == tmp_path / "vegard" / "meshes"
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path / "own"))
    assert store.default_store() == tmp_path / "own" / "meshes"


def test_an_unusable_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MeshError, match="mesh store cannot be used"):
        store.obtain(PARTICLE, HERE, None, tmp_path / "file" / "meshes")


def test_reports_survive_json_and_print(folder: Path) -> None:
    report = store.obtain(PARTICLE, HERE, None, folder).report
    assert MeshReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    text = report.text()
    assert "grain boundaries" in text
    assert f"{report.cells}" in text
    assert report.diameter_spread_asked == pytest.approx(0.3)
    assert report.volume_deviation is not None
    assert report.volume_deviation < 0.05


def test_numbers_beside_a_file_count(tmp_path: Path, two_cubes: ParticleMesh) -> None:
    particle = Particle(from_file=MeshFile(path="cubes.xdmf"))
    keys = []
    for stretch in (1.0, 2.0):
        cells = [("tetra", two_cubes.cells)]
        data = meshio.Mesh(stretch * two_cubes.points, cells, cell_data={"grain": [two_cubes.grain]})
        meshio.write(tmp_path / "cubes.xdmf", data)
        keys.append((store.mesh_key(particle, tmp_path), (tmp_path / "cubes.xdmf").read_bytes()))
    assert keys[0][1] == keys[1][1]  # the text is the same, the numbers are in cubes.h5
    assert keys[0][0] != keys[1][0]


def test_meshes_from_files_are_kept_by_content(folder: Path, tmp_path: Path, two_cubes: ParticleMesh) -> None:
    write_msh(two_cubes, tmp_path / "cubes.msh")
    particle = Particle(from_file=MeshFile(path="cubes.msh", length_unit="1 mm"))
    first = store.obtain(particle, tmp_path, None, folder)
    (tmp_path / "cubes.msh").rename(tmp_path / "renamed.msh")
    moved = Particle(from_file=MeshFile(path="renamed.msh", length_unit="1 mm"))
    assert store.obtain(moved, tmp_path, None, folder).reused
    mesh = store.load(first.path)
    assert grain_volumes(mesh) == pytest.approx(np.array([1e9, 1e9]))
    with pytest.raises(MeshError, match=r"cubes\.msh: cannot be read"):
        store.obtain(particle, tmp_path, None, folder)
