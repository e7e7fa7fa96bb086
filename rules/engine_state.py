"""The state of an engine: copied piece by piece beside its work, and taken over by another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.checkpoint import ROWS, Piece, Watch, of_prefix, prefixed
from firetower.rules.measured.series import SeriesBook
from firetower.rules.measured.tables import TableGroup
from firetower.rules.watches.clocks import ClockWatch
from firetower.rules.watches.quality import ImplausibleWatch


class EngineState:
    """The parts of an engine that remember. ``watches``: those whose state is no array, by name, in their order."""

    def __init__(
        self,
        registry: Registry,
        series: SeriesBook,
        groups: Sequence[TableGroup],
        of_series: tuple[ImplausibleWatch, ClockWatch],
        watches: Mapping[str, Watch],
    ) -> None:
        self._registry = registry
        self._series = series
        self._groups = groups
        self._implausible, self._clocks = of_series
        self.watches = watches
        self._restored = False

    def pieces(self) -> Iterator[Piece]:
        """Yield copies of all of it; between two the engine may go on with its work.

        What is of one series and one table is copied at once and knows its newest reading. So a copy that is restored
        and then given every reading stored since it was begun, some of them again, stands where this engine stands.
        What is of events and groups comes last, for it may be told again what it knows, but must miss nothing: in
        portions, each as it stands when it is yielded.
        """
        self._series.fit()
        count = self._registry.series_count
        for start in range(0, count, ROWS):
            part = slice(start, min(start + ROWS, count))
            doubts = prefixed("implausible.", self._implausible.save(part)) | prefixed(
                "clocks.", self._clocks.save(part)
            )
            yield Piece("series", arrays=self._series.save(part) | doubts)
        yield from self.tables()
        for name, watch in self.watches.items():
            for portion in watch.save():
                yield Piece("watches", facts={name: portion})

    def tables(self) -> Iterator[Piece]:
        """Yield copies of the tables alone, as ``carry`` takes them over."""
        for group_number, group in enumerate(self._groups):
            for table_number, table in enumerate(group.tables):
                for start in range(0, table.rows, ROWS):
                    saved = table.save(slice(start, min(start + ROWS, table.rows)))
                    yield Piece("table", (group_number, table_number), saved, group.identities[table_number])

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Take over the pieces of a checkpoint of the same rulebook, in their order."""
        for piece in pieces:
            if piece.part == "series":
                series, saved = self._series.load(piece.arrays)
                self._implausible.load(series, of_prefix("implausible.", saved))
                self._clocks.load(series, of_prefix("clocks.", saved), saved["watermark"])
            elif piece.part == "table":
                group_number, table_number = piece.of
                self._series.load_table(group_number, table_number, piece.arrays)
            else:
                for name, portion in piece.facts.items():
                    self.watches[name].load(portion)
        self._pass_over_what_is_known()

    def carry(self, pieces: Iterable[Piece]) -> list[Rule]:
        """Take over, of a checkpoint of any rulebook, the tables whose rules are the same here.

        Return the measured rules of the others.
        """
        here = {
            identity: (number, table)
            for number, group in enumerate(self._groups)
            for table, identity in enumerate(group.identities)
        }
        carried: set[str] = set()
        for piece in pieces:
            if piece.part == "table" and piece.facts in here:
                group_number, table_number = here[piece.facts]
                self._series.load_table(group_number, table_number, piece.arrays, anew=True)
                carried.add(piece.facts)
        self._pass_over_what_is_known()
        lacking = [place for identity, place in here.items() if identity not in carried]
        return [rule for group_number, table in lacking for rule in self._groups[group_number].tables[table].rules]

    def caught_up(self) -> None:
        """Say that all that was stored since the copy has been taken in: what comes now is new to all tables."""
        if self._restored:
            self._restored = False
            for group in self._groups:
                group.restored = False

    def _pass_over_what_is_known(self) -> None:
        self._restored = True
        for group in self._groups:
            group.restored = True
