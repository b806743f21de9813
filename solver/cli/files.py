"""Files that commands write where the user says: never over an existing one without being told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from solver.errors import OutputError


def refuse_existing(path: Path | None, force: bool) -> None:
    """Stop before any work when a file cannot be written later.

    Raises:
        OutputError: When the file is there and `force` is not given, or its folder is not.
    """
    if path is None:
        return
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; write the name of a file")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
    if path.exists() and not force:
        raise OutputError(f"{path}: is there already; choose another name, or add --force to replace it")


def copy_file(source: Path, target: Path) -> None:
    """Copy so that an interruption leaves no half file."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
