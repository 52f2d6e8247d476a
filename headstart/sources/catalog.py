"""Data sets of the catalog: a YAML file says what a set is and where it is; this fetches and opens it.

An entry is one of two formats:

- ``idx``: images and labels in files of numbers, as MNIST has them;
- ``archive``: image files in a zip or tar archive, one folder per class.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image
from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter, ValidationError

from headstart.fetching.digests import Accept, check_digest, exactly
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import Mirror, MirrorError, Session, Url
from headstart.fetching.packages import DebianFile, WheelMember
from headstart.foundation.errors import InputError
from headstart.foundation.records import Record
from headstart.sources import archives, idx
from headstart.sources.source import Dropped, Source, SourceImage
from headstart.sources.sources import check_classes

_CHUNK = 1 << 20


def _mirror(value: Any) -> Mirror:
    match value:
        case {"url": str(url), **rest} if not rest and re.match("https?://", url):
            return Url(url)
        case {"debian": str(package), "path": str(path), **rest} if not rest:
            return DebianFile(package, path)
        case {"wheel": str(package), "version": str(version), "member": str(member), **rest} if not rest:
            return WheelMember(package, version, member)
    raise ValueError(
        f"found {value!r}, expected `url: https://…`, or `debian` and `path`, or `wheel`, `version` and "
        "`member`, each a text"
    )


def _all_different(classes: list[str]) -> list[str]:
    if len(set(classes)) < len(classes):
        raise ValueError("two classes have the same name")
    return classes


# An entry has a folder of downloads: such a name can't lead out of it, and no system refuses it.
_FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
_Text = Annotated[str, Field(min_length=1)]
_FEWEST_CLASSES = 2


class File(Record):
    """A file of an entry: its name in the folder of downloads, its content, and where to get it."""

    name: _FileName
    size: int = Field(gt=0)  # bytes; of an idx file when uncompressed
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # likewise
    mirrors: list[Annotated[Any, PlainValidator(_mirror)]] = Field(min_length=1)


class _Entry(Record):
    name: _FileName
    description: _Text
    images: int = Field(gt=0)  # as published, those included that can't be read
    licence: _Text
    citation: _Text
    homepage: _Text

    @property
    def credit(self) -> tuple[str, ...]:
        """What whoever uses the set has to know."""
        return (
            f"{self.name}: {self.description}; {self.images:,} images",
            f"  licence: {self.licence}",
            f"  cite: {self.citation}",
            f"  more: {self.homepage}",
        )


class IdxFiles(Record):
    """A file of images and the file of their labels."""

    images: File
    labels: File


class IdxEntry(_Entry):
    """A set in idx format; ``classes`` are the names in the order of their labels, which count from 0."""

    format: Literal["idx"]
    classes: Annotated[list[_Text], AfterValidator(_all_different)] = Field(min_length=_FEWEST_CLASSES)
    files: list[IdxFiles] = Field(min_length=1)


class ArchiveEntry(_Entry):
    """A set in an archive; ``classes`` gives for each class its folder inside the archive."""

    format: Literal["archive"]
    classes: dict[_Text, _Text] = Field(min_length=_FEWEST_CLASSES)
    file: File


_ENTRY: TypeAdapter[IdxEntry | ArchiveEntry] = TypeAdapter(
    Annotated[IdxEntry | ArchiveEntry, Field(discriminator="format")]
)


def open_entry(path: Path, store: Path) -> Source:
    """Open a data set of the catalog by its YAML file, fetching what is not there yet.

    Each entry has a folder in ``store``, the folder of downloads, where its files may be put by hand too.

    Raises:
        InputError: the entry is written badly, no mirror serves a file, or a file does not fit the entry.
    """
    entry = read_entry(path)
    with downloading(store) as session:
        if isinstance(entry, IdxEntry):
            return _open_idx(entry, store / entry.name, session, path)
        return _open_archive(entry, store / entry.name, session)


def read_entry(path: Path) -> IdxEntry | ArchiveEntry:
    """Read an entry's YAML file and check it.

    Raises:
        InputError: the file is missing, or is not a catalog entry; all errors are reported together.
    """
    try:
        return _ENTRY.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: the entries of the catalog are in data/catalog/") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(_tell(dict(item)) for item in error.errors())
        raise InputError(f"{path}: not a catalog entry: {wrong}; data/catalog/mnist.yaml is an example") from None


def _tell(item: Mapping[str, Any]) -> str:
    if item["type"] == "union_tag_not_found":
        return "format: expected `idx` or `archive`"
    # The first place is the format that pydantic chose, which is no key of the file.
    where = ".".join(str(part) for part in item["loc"][1:]) or "format"
    return f"{where}: {item['msg'].removeprefix('Value error, ')}"


def _open_idx(entry: IdxEntry, folder: Path, session: Session, path: Path) -> Source:
    """Open a set in idx format as one pool of images.

    They are numbered from 0 through all files, in the files' order. The entries of MNIST and its kin name the
    training file first, so that "the first N by number" are training images as long as there are enough.
    """
    parts = [_read_part(part, entry.classes, folder, session, path) for part in entry.files]
    pixels = [image for images, _ in parts for image in images]
    labels = np.concatenate([labels for _, labels in parts]).tolist()
    digits = len(str(len(pixels) - 1))
    images = [
        SourceImage(
            name=f"{number:0{digits}d}.png",
            class_name=entry.classes[label],
            split=None,
            read=partial(encode_png, image),
            likeness=zlib.crc32(image),
        )
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True))
    ]
    if len(images) != entry.images:
        raise InputError(f"{path}: `images` is {entry.images:,}, but the files hold {len(images):,}: correct it")
    source = Source(entry.name, images, credit=entry.credit)
    check_classes(source)
    return source


def _read_part(
    part: IdxFiles, classes: Sequence[str], folder: Path, session: Session, path: Path
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images (images, height, width) of a pair of files and their labels (images,)."""
    pixels = idx.read_images(_fetch_idx(part.images, folder, session))
    labels = idx.read_labels(_fetch_idx(part.labels, folder, session))
    if len(pixels) != len(labels):
        raise InputError(
            f"{path}: {part.images.name} holds {len(pixels):,} images, {part.labels.name} "
            f"{len(labels):,} labels: name files that belong together"
        )
    if (last := int(labels.max())) >= len(classes):
        raise InputError(
            f"{path}: {part.labels.name} has label {last}, but `classes` has {len(classes)} names: name them all"
        )
    return pixels, labels


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a grey image (height, width) as a PNG file: the same pixels give the same bytes.

    The pixels are stored uncompressed, since compressed bytes differ from one zlib build to another.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _fetch_idx(file: File, folder: Path, session: Session) -> Path:
    # gzip makes data that don't compress a little larger: 18 bytes, and 5 for every 32 KiB.
    limit = file.size + file.size // 1000 + 1024
    return _fetch(file, folder, session, partial(_check_idx, file), limit)


def _check_idx(file: File, path: Path, scratch: Path) -> Path:
    """Check the uncompressed content, since every mirror has compressed it in its own way."""
    digest = hashlib.sha256()
    size = 0
    try:
        with idx.opened(path) as content:
            while piece := content.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
                if size > file.size:
                    raise MirrorError(f"more than {file.size:,} bytes of content")
    except idx.UNREADABLE:
        raise MirrorError("broken gzip data") from None
    check_digest(digest.hexdigest(), file.sha256)
    return path


def _open_archive(entry: ArchiveEntry, folder: Path, session: Session) -> Source:
    size = entry.file.size
    archive = _fetch(entry.file, folder, session, exactly(size, entry.file.sha256), size)
    listing = archives.list_archive(archive)
    source = Source(entry.name, [], listing.dropped, listing.close, entry.credit)
    for image in listing.entries:
        class_name = _class_of(image.name, entry.classes)
        if class_name is None:
            source.dropped.append(Dropped(image.name, "", "in no class's folder"))
        else:
            source.images.append(SourceImage(image.name, class_name, None, image.read, image.likeness))
    try:
        check_classes(source)
    except InputError:
        source.close()
        raise
    return source


def _class_of(name: str, folders: Mapping[str, str]) -> str | None:
    return next((kind for kind, folder in folders.items() if name.startswith(folder.rstrip("/") + "/")), None)


def _fetch(file: File, folder: Path, session: Session, accept: Accept, limit: int) -> Path:
    target = folder / file.name
    mirror = fetch(session, target, file.mirrors, accept, limit=limit, what=f"{folder.name}: {file.name}")
    if mirror is not None:
        print(f"{folder.name}: {file.name} from {mirror}, SHA-256 verified")
    return target
