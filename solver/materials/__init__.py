"""Materials: a library of numbers with unit, range, confidence and source, checked on loading; no finite elements."""

from solver.materials.build import grain_boundary_names, load_grain_boundary, load_material
from solver.materials.choice import MaterialChoice, MaterialName
from solver.materials.curves import LatticeStrain
from solver.materials.diffusivity_profile import DiffusivityProfile
from solver.materials.errors import MaterialError
from solver.materials.layer import Layer, layer_names, load_layer
from solver.materials.library import material_names
from solver.materials.material import GrainBoundarySet, Material, OpenCircuit
from solver.materials.stiffness import TransverseStiffness
from solver.materials.voltage import EquilibriumVoltage

__all__ = [
    "DiffusivityProfile",
    "EquilibriumVoltage",
    "GrainBoundarySet",
    "LatticeStrain",
    "Layer",
    "Material",
    "MaterialChoice",
    "MaterialError",
    "MaterialName",
    "OpenCircuit",
    "TransverseStiffness",
    "grain_boundary_names",
    "layer_names",
    "load_grain_boundary",
    "load_layer",
    "load_material",
    "material_names",
]
