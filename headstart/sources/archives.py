"""Lists and reads the image files of a zip or tar archive where they are: nothing is ever unpacked."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import IO, cast

from headstart.foundation.encodings import guess
from headstart.foundation.errors import InputError
from headstart.images import formats
from headstart.images.images import MAX_BYTES, UnreadableImage
from headstart.sources.layout import is_litter
from headstart.sources.listing import Listing, printable
from headstart.sources.reading import AUTO

# Images hardly compress. What unpacks to more than this many times its size, and to a size that matters, is a
# bomb: such archives reach 1,000 (deflate's limit) to billions (entries that share their bytes).
_MAX_RATIO = 200
_RATIO_MATTERS = 1 << 30
# Each entry takes memory, and a tar of empty files compresses 1,000 times.
_MAX_ENTRIES = 1_000_000

_DECOMPRESSORS: tuple[tuple[bytes, Callable[[IO[bytes]], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(IO[bytes], bz2.BZ2File(file))),
    (b"\xfd7zXZ\0", lambda file: cast(IO[bytes], lzma.LZMAFile(file))),  # noqa: SIM115 - _TarStream closes it
)
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ZIP_ENCRYPTED = 0x1
_ZIP_UTF8 = 0x800
_ZIP_FROM_WINDOWS = 0
# Upper half of an entry's external attributes where Unix made it: the file's mode.
_ZIP_MODE_SHIFT = 16
_TYPE_MASK, _TYPE_REGULAR = 0o170000, 0o100000

_TAR_KINDS = (
    (tarfile.TarInfo.issym, "symbolic link: not followed"),
    (tarfile.TarInfo.islnk, "hard link: not followed"),
    (tarfile.TarInfo.isfifo, "named pipe: not read"),
    (tarfile.TarInfo.isdev, "device: not read"),
    (tarfile.TarInfo.issparse, "sparse file: not read"),
)

# Info-ZIP's extra field that holds an entry's name in UTF-8 (APPNOTE.TXT, 4.6.9).
_ZIP_UNICODE_PATH = 0x7075

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
# What such a file begins with, and what a person may do about it. Everything else is taken for damaged.
_NO_ARCHIVES = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and give the folder, or pack it again as zip"),
    (b"Rar!", "a RAR archive", "unpack it and give the folder, or pack it again as zip"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "unpack it (`tar --zstd -xf`) and give the folder"),
    (b"\x04\x22\x4d\x18", "compressed by LZ4", "unpack it (`lz4 -dc … | tar -x`) and give the folder"),
    (_LFS_POINTER, "a Git LFS pointer and not the archive itself", "run `git lfs pull` where it comes from"),
    (b"outs:", "a DVC pointer file and not the archive itself", "give the file without .dvc, after `dvc pull`"),
)

_CHUNK = 1 << 20
_EXAMPLES = 3


def list_archive(path: Path, name_encoding: str = AUTO) -> Listing:
    """List the archive at ``path``: zip, tar, or tar compressed by gzip, bzip2 or xz.

    What it holds but mustn't be read (links, devices, encrypted or repeated entries) is listed as left
    out. Every number in it is distrusted: none makes this take unbounded memory or time.

    ``name_encoding`` is the code page of a zip archive's names if it declares none; "auto": guessed, and printed.

    Raises:
        InputError: it is no such archive, is damaged, truncated or a bomb, or an entry leads out of it.
    """
    with _blaming(path):
        with path.open("rb") as file:
            head = file.read(tarfile.BLOCKSIZE)
        if _is_tar(head) or _decompressor(head):
            return _list_tar(path)
        _refuse_others(path, head)
        return _list_zip(path, name_encoding)


def _refuse_others(path: Path, head: bytes) -> None:
    """Check that a file isn't recognizably something else than an archive.

    Raises:
        InputError: it is.
    """
    for signature, found, remedy in _NO_ARCHIVES:
        if head.startswith(signature):
            raise InputError(f"{path}: {found}: {remedy}")
    if head and zipfile.is_zipfile(path):
        return  # Programs that unpack themselves end with a zip archive.
    found = formats.describe(head)
    if formats.is_image(head) or found in ("text", "a PDF document", "a web page"):
        raise InputError(f"{path}: {found}; expected a folder, or a zip or tar archive, of labelled images")


def _list_zip(path: Path, name_encoding: str) -> Listing:
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        infos = archive.infolist()
        if len(infos) > _MAX_ENTRIES:
            raise _too_many(path)
        if sum(info.file_size for info in infos) > _most_bytes(path):
            raise _bomb(path)
        listing = Listing(close=archive.close)
        names = _Names(path, listing)
        encoding = _zip_encoding(infos, path, name_encoding, listing)
        for info in infos:
            name = names.accept(_zip_name(info, encoding, path), info.create_system == _ZIP_FROM_WINDOWS)
            if name is None or info.is_dir():
                if name is not None:
                    listing.folders.append(name)
                continue
            read = partial(_read_zip, archive, info, path)
            listing.add(name, info.file_size, read, (info.file_size, info.CRC), _zip_kind(info))
        stack.pop_all()
        return listing


def _zip_encoding(infos: Sequence[zipfile.ZipInfo], path: Path, wanted: str, listing: Listing) -> str:
    """The encoding of the names that the archive doesn't say it of; a guess is noted."""
    names = dict.fromkeys(_zip_bytes(info) for info in infos if _zip_unicode(info) is None)
    parts = dict.fromkeys(part for name in names for part in name.split(b"/") if not part.isascii())
    if not parts:
        return "utf-8"
    if wanted != AUTO:
        return wanted
    # The specification says code page 437, and macOS writes UTF-8 all the same.
    with suppress(UnicodeError):
        for part in parts:
            part.decode("utf-8")
        return "utf-8"
    # Names of folders are words more often than those of files; a few are enough to judge by.
    folders = dict.fromkeys(part for name in names for part in name.split(b"/")[:-1] if not part.isascii())
    encoding = guess([*(folders or parts)][:1000])
    shown = ", ".join(repr(part.decode(encoding, "replace")) for part in [*(folders or parts)][:_EXAMPLES])
    listing.notes.append(
        f"{path}: names are in an unknown code page, read as {encoding}: {shown}; if that is wrong, set it, as in "
        "prepare.name_encoding=gbk (cp866: Russian, cp932: Japanese, cp949: Korean, cp850: Western Europe)"
    )
    return encoding


def _zip_bytes(info: zipfile.ZipInfo) -> bytes:
    """A name as the archive has it: zipfile reads all names that aren't marked as UTF-8 by code page 437."""
    return info.orig_filename.partition("\0")[0].encode("cp437")


def _zip_unicode(info: zipfile.ZipInfo) -> str | None:
    """A name that is declared to be UTF-8; None if it isn't."""
    if info.flag_bits & _ZIP_UTF8:
        return info.filename
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        # Version 1, and the checksum of the name that it replaces.
        if kind == _ZIP_UNICODE_PATH and data[:5] == struct.pack("<BI", 1, zlib.crc32(_zip_bytes(info))):
            with suppress(UnicodeError):
                return data[5:].decode("utf-8")
    return None


def _zip_name(info: zipfile.ZipInfo, encoding: str, path: Path) -> str:
    name = _zip_unicode(info)
    if name is None:
        try:
            name = _zip_bytes(info).decode(encoding)
        except UnicodeError:
            raise InputError(
                f"{path}: names are not in {encoding}: set prepare.name_encoding to another code page, or to auto"
            ) from None
    return name.replace("\\", "/") if info.create_system == _ZIP_FROM_WINDOWS else name


def _zip_kind(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & _ZIP_ENCRYPTED:
        return "encrypted"
    if info.compress_type not in _ZIP_METHODS:
        return f"compressed by method {info.compress_type}: not supported"
    kind = (info.external_attr >> _ZIP_MODE_SHIFT) & _TYPE_MASK
    return None if kind in (0, _TYPE_REGULAR) else "link or device: not read"


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, size: int) -> bytes:
    """Return the first ``size`` bytes of an entry; zipfile itself checks the checksum at the entry's end."""
    try:
        with archive.open(info) as file:
            return file.read(size)
    except MemoryError:
        raise
    except Exception as error:  # A decompressor each, and each with its own kinds of errors.
        if isinstance(error, OSError) and error.errno:
            raise _unreadable(path, error) from None
        raise UnreadableImage("damaged in the archive") from None


def _list_tar(path: Path) -> Listing:
    with ExitStack() as stack:
        stream = stack.enter_context(_TarStream(path))
        listing = Listing(close=stream.close)
        names = _Names(path, listing)
        for member in _members(stream, path):
            name = names.accept(printable(member.name))
            if name is None or member.isdir():
                if name is not None:
                    listing.folders.append(name)
                continue
            kind = next((reason for is_kind, reason in _TAR_KINDS if is_kind(member)), None)
            read = partial(_read_tar, stream, member.offset_data, path)
            listing.add(name, member.size, read, member.size, kind)
        stack.pop_all()
        return listing


def _members(stream: "_TarStream", path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the archive's members in order, then prove that the archive is whole."""
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:", encoding="utf-8") as tar:
        position = -1
        count = 0
        while (member := tar.next()) is not None:
            count += 1
            if count > _MAX_ENTRIES:
                raise _too_many(path)
            # A negative size leads back to an earlier header, and tarfile would go round for ever.
            if tar.offset <= position or member.size < 0:
                raise tarfile.ReadError("sizes that lead backwards")
            position = tar.offset
            yield member
            # tarfile remembers every member for random access by name, which is not needed here.
            tar.members.clear()  # type: ignore[attr-defined]
        end = tar.offset
    # tarfile ends quietly at a header it can't read; a whole archive ends with a block of zeros.
    stream.seek(end)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end mark")
    # Reading on to the end makes the decompressor check its checksum.
    while stream.read(_CHUNK):
        pass


def _read_tar(stream: "_TarStream", offset: int, path: Path, size: int) -> bytes:
    with _blaming(path):
        stream.seek(offset)
        data = stream.read(size)
        if len(data) < size:
            raise EOFError
        return data


class _TarStream(io.RawIOBase):
    """The decompressed bytes of a tar archive, bounded in all; seeking back starts again from the beginning.

    So entries are best read in their order, which takes one pass.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._most = _most_bytes(path)
        self._file: IO[bytes] = path.open("rb")
        head = self._file.read(tarfile.BLOCKSIZE)
        self._file.seek(0)
        decompressor = _decompressor(head)
        self._stream = decompressor(self._file) if decompressor else self._file

    def read(self, size: int = -1) -> bytes:
        # Sizes come from headers, and Python would set aside the memory for them before it reads.
        if not 0 <= size <= MAX_BYTES + tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"a block of {size} bytes")
        data = self._stream.read(size)
        if self._stream.tell() > self._most:
            raise _bomb(self._path)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > self._most:
            raise _bomb(self._path)
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        self._file.close()
        super().close()


class _Names:
    """Judges the paths of an archive's entries, in their order."""

    def __init__(self, path: Path, listing: Listing) -> None:
        self._path = path
        self._listing = listing
        self._seen: set[str] = set()

    def accept(self, name: str, from_windows: bool = False) -> str | None:
        """Return the entry's path without empty parts, or None where it is to be passed over.

        An archive ``from_windows`` was made where ``C:/`` is no folder's name.

        Raises:
            InputError: the path leads out of the archive.
        """
        upwards = ".." in name.replace("\\", "/").split("/")
        if upwards or name.startswith("/") or (from_windows and PureWindowsPath(name).drive):
            raise InputError(
                f"{self._path}: refused, because entry {name!r} leads out of the archive's own folder: "
                "use an archive that was made without such paths"
            )
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if not parts or any(is_litter(part) for part in parts):
            return None
        clean = "/".join(parts)
        # A folder listed twice does no harm; of two files, nobody can know which was meant.
        if clean in self._seen and not name.endswith("/"):
            self._listing.drop(clean, "a second entry of the same name: the first one counts")
            return None
        self._seen.add(clean)
        return clean


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn any error that reading a damaged archive raises into one InputError that names the archive."""
    try:
        yield
    except (InputError, UnreadableImage, MemoryError):
        raise
    except Exception as error:  # zipfile, tarfile and three decompressors have a dozen kinds of errors.
        if isinstance(error, OSError) and error.errno and not isinstance(error, gzip.BadGzipFile):
            raise _unreadable(path, error) from None
        raise InputError(
            f"{path}: not a whole zip or tar archive, perhaps damaged or truncated: copy or download it again"
        ) from None


def _decompressor(head: bytes) -> Callable[[IO[bytes]], IO[bytes]] | None:
    return next((decompressor for magic, decompressor in _DECOMPRESSORS if head.startswith(magic)), None)


def _is_tar(head: bytes) -> bool:
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _most_bytes(path: Path) -> int:
    return max(_RATIO_MATTERS, _MAX_RATIO * path.stat().st_size)


def _bomb(path: Path) -> InputError:
    return InputError(
        f"{path}: refused, because it unpacks to over {_MAX_RATIO} times its size, which images never do: "
        "pack the images themselves"
    )


def _too_many(path: Path) -> InputError:
    return InputError(f"{path}: refused, because it holds over {_MAX_ENTRIES:,} entries: split it up")


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: can't be read ({error.strerror}): check that it is there, mounted and readable")
