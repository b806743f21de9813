"""From a case and a mesh to stress fields and crack-risk numbers, on DOLFINx and PETSc."""
