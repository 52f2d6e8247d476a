"""Whether DVC's cache takes the disk space of every output a second time; it doesn't where files share bytes."""

import configparser
import tempfile
from pathlib import Path

# By default DVC shares bytes where the file system can, and copies elsewhere.
_DEFAULT = ("reflink", "copy")
_CONFIGS = ("config.local", "config")


def are_kept(project: Path = Path()) -> bool:
    """Return whether DVC would copy the project's outputs into its cache, by `cache.type` and the file system."""
    for kind in _cache_types(project / ".dvc"):
        if kind in ("hardlink", "symlink"):
            return False
        if kind == "reflink" and _can_reflink(project):
            return False
        if kind == "copy":
            break
    return True


def _cache_types(folder: Path) -> tuple[str, ...]:
    for name in _CONFIGS:
        config = configparser.ConfigParser()
        config.read(folder / name, encoding="utf-8")
        if kinds := config.get("cache", "type", fallback=""):
            return tuple(kind.strip() for kind in kinds.split(","))
    return _DEFAULT


def _can_reflink(folder: Path) -> bool:
    from dvc_objects.fs.system import reflink

    with tempfile.TemporaryDirectory(dir=folder, prefix=".reflink") as scratch:
        source = Path(scratch, "source")
        source.write_bytes(b"bytes to share")
        try:
            reflink(str(source), str(Path(scratch, "copy")))
        except OSError:
            return False
    return True
