"""Folders that servers running as another account can reach."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def open_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder that other accounts may pass through: for root, engines run as nobody."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def in_memory() -> Path | None:
    """Where files cost no disk, if there is room for a run's databases; None: wherever temporary files go."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None
