"""Lithium of three grains under prescribed stress on all ranks: current, then a held voltage; prints integrals of x."""

from __future__ import annotations

import json
import sys

import numpy as np
from boxes import box, domain_of
from mpi4py import MPI
from potential_cases import Stressed
from reaction_cases import kinetics, voltage
from runs import fixed, run_lithium

from meshes.particle_mesh import OUTER
from solver.model.chemical_potential import OpenCircuitLaw
from solver.solve.segments import Segment

OPTIONS = {"films": {"resistances": {OUTER: 0.1}}, "bare": {}, "reaction": {"kinetics": kinetics()}}
STRESS = np.array([0.0, -0.4, 0.5, 0.2])


def main(kind: str) -> None:
    comm = MPI.COMM_WORLD
    # The corner at which the three grains meet is split between ranks by any partition.
    mesh = box(
        (4, 2, 2),
        (2.0, 1.0, 1.0),
        lambda c: np.where(c[:, 0] < 1.0, 1, np.where(c[:, 1] < 0.5, 2, 3)).astype(np.int32),
    )
    domain = domain_of(mesh, [[0, 0, 1], [0, 1, 0], [1, 0, 1]], comm)

    def stress(places, grain, x):
        return STRESS[grain] + 0.3 * np.cos(2.0 * places[:, 0]) + 0.5 * x, np.full_like(x, 0.5)

    case = Stressed(domain, OpenCircuitLaw(voltage(), 298.15), stress, **OPTIONS[kind])
    segments = [Segment(0.3, "charge", rate=-0.3), Segment(0.3, "hold", potential=3.8)]
    run_lithium(case.transport, segments, fixed(0.05))
    x, masses, potential = case.x, case.solver.sites.masses, case.transport.potential()
    weighted = [x, x**2, case.places[:, 0] * x, case.places[:, 1] * case.grain * x]
    numbers = comm.allreduce(np.array([masses @ values for values in weighted]))
    if comm.rank == 0:
        print(json.dumps([*numbers.tolist(), potential]))


if __name__ == "__main__":
    main(sys.argv[1])
