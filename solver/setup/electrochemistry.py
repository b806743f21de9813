"""From what a case says about current and reaction to what the solver imposes: segments, and how lithium passes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from solver.case.checks import stoichiometry_at
from solver.case.course import Course
from solver.case.current_table import CurrentScale, Tables, courses_of
from solver.case.electrochemistry import Electrochemistry
from solver.case.protocol import PlannedStep, StepEnd, TableChoice, plan_protocol
from solver.case.schema import Case
from solver.materials import DiffusivityProfile, EquilibriumVoltage, Material
from solver.materials.material import arrhenius
from solver.materials.radial import RadialMaterial
from solver.model.chemical_potential import LatticeGas
from solver.model.kinetics import ButlerVolmer
from solver.model.transport import lithiation_rate
from solver.solve.potential_step import Transmission, on_masters
from solver.solve.reaction import ReactionStepSolver
from solver.solve.segments import End, Segment
from solver.solve.step_solver import LinearStepSolver, even_flux
from solver.solve.stepping import StepSettings
from solver.solve.transport import SurfaceChoice, Transport


def plan_segments(
    case: Case, material: RadialMaterial, courses: Mapping[TableChoice, Course] | None = None
) -> list[Segment]:
    """The protocol as stretches of constant current, held voltage, or a current that follows a table (eq. 3.4).

    Args:
        case: The case.
        material: What the grains are made of.
        courses: What the tables that the protocol follows mean for the particle.
    """
    ratio, courses = _capacity_ratio(case, material), courses or {}
    start = case.electrochemistry.initial_stoichiometry
    equilibrium = stoichiometry_at(material.materials[-1])
    planned = plan_protocol(case.electrochemistry.steps, start, ratio, equilibrium, courses=courses)
    return [segment_of(step, ratio, courses) for step in planned]


def plan_courses(
    case: Case, tables: Tables, material: RadialMaterial, transport: Transport, sites: float
) -> dict[TableChoice, Course]:
    """What current tables mean for a particle.

    Args:
        case: The case.
        tables: The tables its protocol follows.
        material: What the grains are made of.
        transport: Knows the area through which lithium passes.
        sites: Mean of the lithium sites in the grains [mol/m³].
    """
    ratio = _capacity_ratio(case, material)
    return courses_of(tables, CurrentScale.of(ratio, transport.area / transport.volume, sites))


def _capacity_ratio(case: Case, material: RadialMaterial) -> float:
    """Capacity called 1C over the theoretical capacity [-]."""
    capacity = case.electrochemistry.one_c_capacity
    return 1.0 if capacity is None else float(capacity) / material.theoretical_capacity


def step_settings(case: Case) -> StepSettings:
    """Step-size control of a case."""
    numerics = case.numerics
    return StepSettings(
        tolerance=numerics.time_tolerance,
        largest_change=numerics.maximum_stoichiometry_step,
        initial=numerics.initial_step,
        smallest=numerics.minimum_step,
        largest=numerics.maximum_step,
    )


def segment_of(
    planned: PlannedStep, capacity_ratio: float, courses: Mapping[TableChoice, Course] | None = None
) -> Segment:
    """A step of the protocol as a segment (eq. 3.4).

    Args:
        planned: The step with its estimate.
        capacity_ratio: Capacity called 1C over the theoretical capacity [-].
        courses: What the tables that are followed mean for the particle.
    """
    step = planned.step
    is_given = step.kind not in ("hold", "follow")
    rate = lithiation_rate(-step.direction, step.c_rate, capacity_ratio) if is_given else None
    watched = [end for end in step.ends if end.kind != "soc" or not planned.is_exact]
    ends = tuple(_end(end, step.direction, capacity_ratio) for end in watched)
    return Segment(
        duration=planned.longest if ends else planned.duration,
        text=step.text,
        rate=rate,
        course=None if step.table is None else (courses or {})[step.table],
        potential=step.voltage,
        ends=ends,
        expected=planned.duration,
        must_end=bool(ends) and step.duration is None and step.table is None,
    )


def _end(end: StepEnd, direction: int, capacity_ratio: float) -> End:
    rising = direction > 0 if direction else None
    if end.kind == "voltage":
        return End("potential", end.value, rising, end.text)
    if end.kind == "soc":
        return End("state_of_charge", end.value, rising, end.text)
    return End("rate", abs(lithiation_rate(1, end.value, capacity_ratio)), False, end.text)


def surface_of(electrochemistry: Electrochemistry, materials: RadialMaterial) -> SurfaceChoice:
    """How lithium passes the surface, which has the voltage of the outermost material."""
    material, profile = materials.materials[-1], materials.diffusivity_profile
    if profile is not None:
        return _nonlinear_surface(electrochemistry, material, profile)
    if electrochemistry.kinetics == "uniform-flux":
        return even_flux
    voltage = voltage_of(electrochemistry, material)
    if electrochemistry.kinetics == "fast" or voltage is None:
        return partial(LinearStepSolver, voltage=voltage)
    kinetics = reaction_of(electrochemistry, material, voltage)
    return lambda diffusion, rows: ReactionStepSolver(diffusion, rows, kinetics)


def _nonlinear_surface(
    electrochemistry: Electrochemistry, material: Material, profile: DiffusivityProfile
) -> SurfaceChoice:
    """The same for a diffusivity that depends on lithium; without stress any law of the potential does (eq. 13.3)."""
    voltage = voltage_of(electrochemistry, material)
    kinetics = None
    if electrochemistry.kinetics == "butler-volmer" and voltage is not None:
        kinetics = reaction_of(electrochemistry, material, voltage)
    return partial(
        on_masters,
        medium=Transmission(LatticeGas(), profile, voltage),
        equipotential=electrochemistry.kinetics != "uniform-flux",
        kinetics=kinetics,
    )


def voltage_of(electrochemistry: Electrochemistry, material: Material) -> EquilibriumVoltage | None:
    """U(x) of a material at the temperature of a case, if it is known."""
    if material.open_circuit is None:
        return None
    return EquilibriumVoltage(material.open_circuit, electrochemistry.temperature)


def reaction_of(electrochemistry: Electrochemistry, material: Material, voltage: EquilibriumVoltage) -> ButlerVolmer:
    """The reaction of a case at its temperature (eqs. 11.1, 11.3)."""
    chosen, temperature = electrochemistry.reaction, electrochemistry.temperature
    exchange = chosen.exchange_current_density
    if exchange is None:
        factor = arrhenius(material.reaction_activation_energy, material.reference_temperature, temperature)
        exchange = (material.exchange_current_density or 0.0) * factor
    transfer = chosen.transfer_coefficient
    return ButlerVolmer(
        equilibrium=voltage,
        exchange_current_density=exchange,
        transfer_coefficient=material.transfer_coefficient if transfer is None else transfer,
        film_resistance=chosen.film_resistance,
        temperature=temperature,
        maximum_concentration=material.maximum_concentration,
    )
