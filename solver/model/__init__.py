"""The physics as UFL: eigenstrain, elasticity, lithium transport. Nothing is solved, meshed or written here."""
