"""A checkpoint of the engine: its state in pieces, each small enough to be copied without holding anything up."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

FORMAT = 2
"""Rises with every change of what the state means; a checkpoint of another format is not read."""
ROWS = 1 << 13
"""Rows copied at once: a fraction of a millisecond."""
_AT_ONCE = 500
Saved = dict[str, npt.NDArray[Any]]
Thing = TypeVar("Thing")


class Watch(Protocol):
    """Whatever keeps state that is no array."""

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types, in portions, each as it stands when it is yielded."""
        ...

    def load(self, saved: Any) -> None:
        """Take over one portion; they come in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """``part``: ``series``, ``table`` (``of``: numbers of group and table) or ``watches``, with arrays or ``facts``.

    Of the watches: a portion of one, by its name.
    """

    part: str
    of: tuple[int, ...] = ()
    arrays: Saved = field(default_factory=dict)
    facts: Any = None


def in_parts(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Yield what there is at first, some hundreds at once: as many as are copied in a millisecond."""
    whole = list(things)
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]


def devices_in_parts(devices: Iterable[int], keys: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield devices as ``in_parts`` does, each once: first ``devices``, then the others in ``keys``, second of each."""
    told: set[int] = set()
    for part in in_parts(devices):
        told.update(part)
        yield part
    for pairs in in_parts(keys):
        others = {device for _, device in pairs} - told
        told |= others
        yield list(others)


def prefixed(prefix: str, saved: Saved) -> Saved:
    """Return the arrays with ``prefix`` before their names."""
    return {prefix + name: rows for name, rows in saved.items()}


def of_prefix(prefix: str, saved: Saved) -> Saved:
    """Return those arrays whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): rows for name, rows in saved.items() if name.startswith(prefix)}


def encode(piece: Piece) -> bytes:
    """Return a piece as bytes, packed."""
    arrays = {name: (rows.dtype.str, rows.shape, rows.tobytes()) for name, rows in piece.arrays.items()}
    return zlib.compress(msgspec.msgpack.encode((piece.part, piece.of, arrays, piece.facts)), 1)


def _array(kind: str, shape: tuple[int, ...], raw: bytes) -> npt.NDArray[Any]:
    return np.frombuffer(raw, np.dtype(kind)).reshape(shape).copy()


def decode(data: bytes) -> Piece:
    """Return the piece that ``encode`` made bytes of. Raises ValueError for anything else."""
    try:
        part, of, arrays, facts = msgspec.msgpack.decode(zlib.decompress(data))
        rows = {
            name: np.frombuffer(raw, np.dtype(kind)).reshape(shape).copy()
            for name, (kind, shape, raw) in arrays.items()
        }
    except (zlib.error, msgspec.DecodeError, TypeError) as err:
        raise ValueError(f"{len(data)} bytes are no piece of a checkpoint: {err}") from err
    return Piece(part, tuple(of), rows, facts)
