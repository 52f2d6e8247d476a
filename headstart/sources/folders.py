"""Lists and reads the image files of a folder: regular files, and links to regular files where that is safe."""

import errno
import functools
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from headstart.foundation.errors import InputError
from headstart.images.images import UnreadableImage
from headstart.sources.layout import is_litter
from headstart.sources.listing import Listing, printable

# A FIFO that takes a file's place must not block the open, nor a link be followed. Windows has neither flag.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_LEADS_OUT = "symbolic link out of the folder: not followed, give a copy made with `cp -rL`"
_TO_A_FOLDER = "symbolic link to a folder: not followed, put the folder itself in its place, as `cp -rL` does"
_DANGLING = "symbolic link to nothing: copy the file itself in its place, or fetch it first (`dvc pull`)"

_KINDS = (
    (stat.S_ISLNK, "symbolic link: not followed"),
    (stat.S_ISFIFO, "named pipe: not read"),
    (stat.S_ISSOCK, "socket: not read"),
    (stat.S_ISCHR, "device: not read"),
    (stat.S_ISBLK, "device: not read"),
)

# Errors that concern one file. Every other one, such as a vanished mount, concerns the source.
_REFUSALS: dict[int | None, str] = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "path too long",
    errno.ELOOP: "symbolic link: not followed",
    errno.ENXIO: "not a regular file",
}


def list_folder(root: Path) -> Listing:
    """List what is in ``root``, at any depth, sorted by path.

    Links are followed where they lead to a regular file inside the folder, the project or DVC's cache, which
    is how DVC itself places files with ``cache.type symlink``. All other links are listed as dropped.

    Raises:
        InputError: the folder can't be listed, or vanishes meanwhile.
    """
    listing = Listing()
    for name, entry in _walk(root, listing):
        shown = printable(name)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise _gone(root, shown, error) from None
            listing.drop(shown, _REFUSALS[error.errno])
            continue
        path = entry.path
        if stat.S_ISLNK(status.st_mode):
            followed = _followed(entry.path, root)
            if isinstance(followed, str):
                listing.add(shown, 0, partial(_read, path, shown, root), likeness=0, fault=followed)
                continue
            path, status = followed
        _add(listing, shown, status, partial(_read, path, shown, root))
    return listing


def _followed(link: str, root: Path) -> tuple[str, os.stat_result] | str:
    """The target of a link and its status, or why it isn't followed."""
    target = os.path.realpath(link)
    try:
        status = os.lstat(target)
    except OSError:
        return _DANGLING
    if stat.S_ISLNK(status.st_mode):
        return _DANGLING  # It leads round in a circle.
    if stat.S_ISDIR(status.st_mode):
        return _TO_A_FOLDER
    inside = any(Path(target).is_relative_to(place) for place in _places(os.path.realpath(root), Path.cwd()))
    return (target, status) if inside or Path(target).is_relative_to(_cache(Path.cwd())) else _LEADS_OUT


@functools.cache
def _places(root: str, here: Path) -> tuple[str, ...]:
    """Where links may lead, apart from DVC's cache: the folder, and the project that ``here`` is in."""
    project = _project(here)
    return (root,) if project is None else (root, str(project))


def _project(here: Path) -> Path | None:
    """The DVC project that a folder is in, without links in its path."""
    real = here.resolve()
    return next((folder for folder in (real, *real.parents) if (folder / ".dvc").is_dir()), None)


@functools.cache
def _cache(here: Path) -> Path:
    """The DVC cache that is used in a folder, which may be anywhere; the project's own where DVC doesn't say."""
    project = _project(here)
    if project is None:
        return Path(os.devnull)
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    return Path(done.stdout.strip()).resolve() if done.returncode == 0 else project / ".dvc" / "cache"


def list_file(path: Path) -> Listing:
    """List one file that was named itself, so that a link is followed; it is listed as dropped if it can't be read."""
    listing = Listing()
    shown = printable(str(path))
    try:
        status = path.stat()
    except OSError as error:
        listing.drop(shown, _REFUSALS.get(error.errno, str(error.strerror).lower()))
        return listing
    _add(listing, shown, status, partial(_read, os.path.realpath(path), shown, path.parent))
    return listing


def _add(listing: Listing, shown: str, status: os.stat_result, read: Callable[[int], bytes]) -> None:
    kind = next((reason for is_kind, reason in _KINDS if is_kind(status.st_mode)), None)
    # Only of a regular file does the size say something.
    size = 0 if kind else status.st_size
    listing.add(shown, size, read, likeness=size, fault=kind)


def _walk(root: Path, listing: Listing) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Yield (path below root, entry) of all that is no folder."""
    # A stack of our own: a tree may be deeper than Python's.
    stack = [""]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if not folder or error.errno not in _REFUSALS:
                raise _gone(root, printable(folder), error) from None
            listing.drop(printable(folder), _REFUSALS[error.errno])
            continue
        inner = []
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if is_litter(entry.name):
                listing.passed_over += 1
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(name)
                listing.folders.append(printable(name))
            else:
                yield name, entry
        stack += reversed(inner)


def _read(path: str, name: str, root: Path, most: int) -> bytes:
    """Return the first ``most`` bytes of a regular file.

    Raises:
        UnreadableImage: the file may not be read, or something else took its place.
        InputError: it vanished, or the device failed.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableImage("not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(most)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _REFUSALS:
            raise UnreadableImage(_REFUSALS[error.errno]) from None
        raise _gone(root, name, error) from None


def _gone(root: Path, name: str, error: OSError) -> InputError:
    return InputError(
        f"{root}: can't read {name or 'the folder'} ({error.strerror}): check that it is there, mounted and readable"
    )
