"""Where Vegard keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$VEGARD_CACHE, or vegard in the user's cache folder."""
    chosen = os.environ.get("VEGARD_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vegard"
