"""The run folder: what a run leaves behind, written so that a kill at any moment leaves readable results."""
