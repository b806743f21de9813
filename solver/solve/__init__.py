"""Operators, linear solvers, time stepping: everything that turns a model into accepted states in time."""
