"""`python -m solver.cli` is `vegard`."""

from solver.cli import main

main()
