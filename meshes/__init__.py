"""From a particle description to a tagged tetrahedral mesh file; knows Gmsh and geometry, no chemistry, no DOLFINx."""
