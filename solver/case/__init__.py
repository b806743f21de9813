"""From the file a user writes to a checked, frozen description of one simulation; meshes nothing, solves nothing."""
