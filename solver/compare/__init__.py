"""Designs side by side: the same charge on several particles and seeds, at equal state of charge, with statistics."""
