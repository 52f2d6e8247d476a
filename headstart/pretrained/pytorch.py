"""Tensors out of a file of PyTorch's older layout (``torch.save`` up to 1.5), without PyTorch and without pickle.

The file is a row of pickles, of which the fourth describes the tensors, and after them the storages that the tensors
are views of, as raw bytes. A pickle is a program that may call anything. Here it is run by a machine that has the few
instructions such files are made of, and knows three things to call: an empty ordered dictionary, the rebuilding of a
tensor, and the types of storages. The description is of plain data, nothing is imported.
"""

import io
import math
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.fetching.mirrors import MirrorError

MAGIC = b"\x80\x02\x8a\x0a"
"""What a file of this layout begins with."""

_MAGIC_NUMBER, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# Instructions of a file's pickles at the most: some 60 describe a tensor.
_MOST_INSTRUCTIONS = 200_000
# A kernel's four, with room to spare.
_MOST_AXES = 8
_TYPES: dict[str, np.dtype[Any]] = {"torch FloatStorage": np.dtype("<f4"), "torch LongStorage": np.dtype("<i8")}
_ORDERED_DICT, _REBUILD = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"


class _Name(str):
    """Something that a pickle wants imported, ``module name``; it stays a name."""


class _Storage(NamedTuple):
    key: str
    type: np.dtype[Any]
    length: int  # values


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides are in values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(file: Path) -> dict[str, NDArray[Any]]:
    """Return the float32 tensors of a dictionary by their names; all others are left out.

    Raises:
        MirrorError: the file is of another layout, or has something in it that is no tensor.
        Exception: of many kinds, where it is damaged.
    """
    content = file.read_bytes()
    source = io.BytesIO(content)
    header = [_load(source) for _ in range(3)]
    number, protocol, system = header
    if (number, protocol, system["little_endian"]) != (_MAGIC_NUMBER, _PROTOCOL, True):
        raise MirrorError("not of PyTorch's older layout")
    described, keys = _load(source), _load(source)
    if not isinstance(described, dict) or not all(isinstance(tensor, _Tensor) for tensor in described.values()):
        raise MirrorError("not a dictionary of tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in described.values()}
    places = _places(source, [storages[key] for key in keys])
    return {
        name: _view(tensor, content, places[tensor.storage.key])
        for name, tensor in described.items()
        if tensor.storage.type == np.float32
    }


def _view(tensor: _Tensor, content: bytes, place: int) -> NDArray[Any]:
    """Return a tensor as a view of the file's content; the first value of its storage is at ``place``."""
    size = tensor.storage.type.itemsize
    strides = [stride * size for stride in tensor.strides]
    return np.ndarray(tensor.shape, tensor.storage.type, content, place + tensor.offset * size, strides)


def _places(source: io.BytesIO, storages: list[_Storage]) -> dict[str, int]:
    """Return where each storage begins; in front of each there is the number of its values."""
    places = {}
    for storage in storages:
        if int.from_bytes(source.read(8), "little") != storage.length:
            raise MirrorError(f"storage {storage.key} has another length than the tensors say")
        places[storage.key] = source.tell()
        source.seek(storage.length * storage.type.itemsize, io.SEEK_CUR)
    if source.tell() != len(source.getbuffer()):
        raise MirrorError("more or less than the storages in it")
    return places


def _load(source: io.BytesIO) -> Any:
    """Run the pickle that comes next."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[Any, Any] = {}

    def since_mark() -> list[Any]:
        start = marks.pop()
        values = stack[start:]
        del stack[start:]
        return values

    for count, (instruction, argument, _) in enumerate(pickletools.genops(source)):
        if count == _MOST_INSTRUCTIONS:
            raise MirrorError("too long a pickle")
        match instruction.name:
            case "PROTO":
                pass
            case "STOP":
                return stack.pop()
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINUNICODE":
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction.name])
            case "GLOBAL":
                stack.append(_Name(argument))
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "MARK":
                marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2":
                size = int(instruction.name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                value = stack.pop()
                stack[-1].append(value)
            case "APPENDS":
                values = since_mark()
                stack[-1].extend(values)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1].update(_items([key, value]))
            case "SETITEMS":
                values = since_mark()
                stack[-1].update(_items(values))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_call(stack.pop(), arguments))
            case "BUILD":  # what PyTorch notes beside the tensors, of versions
                stack.pop()
            case _:
                raise MirrorError(f"a pickle with the instruction {instruction.name}")
    raise MirrorError("a pickle without an end")


def _items(values: list[Any]) -> dict[str, Any]:
    """Return what alternates in a list, names and values, as a dictionary."""
    names = values[::2]
    if not all(type(name) is str for name in names):  # hashing a tuple of tuples may take for ever
        raise MirrorError("a pickle with a name that is no text")
    return dict(zip(names, values[1::2], strict=True))


def _storage(reference: Any) -> _Storage:
    kind, type_, key, _, length, view = reference
    if kind != "storage" or view is not None or type(type_) is not _Name or type_ not in _TYPES:
        raise MirrorError("a pickle with a storage of another kind")
    if type(key) is not str or type(length) is not int or length < 0:
        raise MirrorError("a pickle with a storage of another kind")
    return _Storage(key, _TYPES[type_], length)


def _call(function: Any, arguments: Any) -> Any:
    if type(function) is _Name and function == _ORDERED_DICT and arguments == ():
        return {}
    if type(function) is _Name and function == _REBUILD:
        return _tensor(*arguments)
    raise MirrorError("a pickle that calls something else than tensors are made of")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, requires_gradient: Any, hooks: Any) -> _Tensor:
    """What PyTorch's function of the same arguments gives, checked to lie within its storage."""
    del requires_gradient, hooks
    numbers = (offset, *shape, *strides)
    is_plain = len(numbers) <= 1 + 2 * _MOST_AXES and all(type(number) is int and number >= 0 for number in numbers)
    if not isinstance(storage, _Storage) or not is_plain:
        raise MirrorError("a pickle with a tensor of another kind")
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    # With a stride of 0 a small file could give a tensor of any size.
    if 0 in numbers[1:] or last >= storage.length or math.prod(shape) > storage.length:
        raise MirrorError("a pickle with a tensor that is not in its storage")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))
