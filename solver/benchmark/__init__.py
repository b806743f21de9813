"""How fast Vegard is on a machine, as ratios that survive a move to another: `scripts/benchmark`."""
