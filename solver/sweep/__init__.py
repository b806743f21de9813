"""From one case to many: sweep files, their run folders, an engine for this machine, and one table of all runs."""
