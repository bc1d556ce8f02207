"""A reader who keeps every published report, knows all the rules, and works out what they leave possible.

Each unknown has an interval that only shrinks: cells, people who stopped between two stages, people who came between
two months, and the counts behind shown figures. It shares no code with the gate.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from analytics.measures import STAGES, Cell, Dimension, Stage

Shown = Mapping[Cell, int | None]
GROWING = (Stage.PROPOSED, Stage.ACCEPTED, Stage.STARTED, Stage.MET)
FAR = 10**6
Name = tuple[object, ...]


class Attacker:
    """Everything that one reader can work out."""

    def __init__(self, months: Sequence[Shown], k: int = 5, rounding: int = 5) -> None:
        self.k, self.half = k, rounding // 2
        self.months = months
        self.bounds: dict[Name, tuple[int, int]] = defaultdict(lambda: (-FAR, FAR))
        self.sums: list[tuple[Name, list[Name]]] = []  # a whole and its parts
        for month, shown in enumerate(months):
            self._learn_month(month, shown)
        self._learn_history()
        self._solve()

    def compare(self, waiting: "Attacker") -> None:
        """Lay the table of those who wait beside this one: they are enrolled, and none of them has started."""
        enrolled, started = (Cell(stage, Dimension.ALL, "") for stage in (Stage.ENROLLED, Stage.STARTED))
        for month in range(len(self.months)):
            parts: list[Name] = [("cell", month, started), ("waiting", month), ("neither", month)]
            for part in parts:
                self._tighten(part, 0, FAR)
            self.sums.append((("cell", month, enrolled), parts))
        changed = True
        while changed:
            changed = False
            for month in range(len(self.months)):
                here: Name = ("waiting", month)
                there: Name = ("cell", month, enrolled)
                changed |= self._tighten(here, *waiting.bounds[there])
                self._solve()
                changed |= waiting._tighten(there, *self.bounds[here])
                waiting._solve()

    def gone_before_a_start(self, counts: Sequence[int]) -> list[Name]:
        """Where `compare` has told of those who neither wait nor have started that they are 1 to k-1, in each month."""
        names: list[Name] = [("neither", month) for month in range(len(counts))]
        return [name for name, count in zip(names, counts, strict=True) if 0 < count < self.k and self._certain(name)]

    def compare_shares(self, month: int, part: Cell, whole: Cell) -> None:
        """Learn that in one month the part is fewer than half of the whole."""
        _least, most = self.bounds["cell", month, whole]
        self._tighten(("cell", month, part), 0, (most - 1) // 2)
        least, _most = self.bounds["cell", month, part]
        self._tighten(("cell", month, whole), 2 * least + 1, most)
        self._solve()

    def isolated(self, truth: Sequence[Mapping[Cell, int]]) -> list[Name]:
        """The groups of 1 to k-1 people about which the reader is certain that they are that small and not empty."""
        return [name for name, count in self._groups(truth) if 0 < abs(count) < self.k and self._certain(name)]

    def mistaken(self, truth: Sequence[Mapping[Cell, int]]) -> list[Name]:
        """The cells whose true count is none that the reader takes for possible: figures must not mislead either."""
        true = {("cell", month, cell): count for month, counts in enumerate(truth) for cell, count in counts.items()}
        return [name for name, count in true.items() if not self.bounds[name][0] <= count <= self.bounds[name][1]]

    def _certain(self, name: Name) -> bool:
        low, high = self.bounds[name]
        return 1 <= low <= high < self.k or -self.k < low <= high <= -1

    def _groups(self, truth: Sequence[Mapping[Cell, int]]) -> Iterator[tuple[Name, int]]:
        for month, counts in enumerate(truth):
            for cell, count in counts.items():
                yield ("cell", month, cell), count
                if (later := _later(cell)) is not None and later in counts:
                    yield ("stopped", month, cell), count - counts[later]
                if cell.dimension is not Dimension.ALL:
                    yield ("others", month, cell), counts[_total(cell)] - count
                if month and cell in truth[month - 1]:
                    yield ("came", month, cell), count - truth[month - 1][cell]

    def _learn_month(self, month: int, shown: Shown) -> None:
        parts: dict[tuple[str, Cell, Dimension], list[Name]] = defaultdict(list)
        for cell in shown:
            self._tighten(("cell", month, cell), 0, FAR)
            if (later := _later(cell)) in shown:
                self._tighten(("stopped", month, cell), 0, FAR)
                self.sums.append((("cell", month, cell), [("cell", month, later), ("stopped", month, cell)]))
            if cell.dimension is not Dimension.ALL:
                self._tighten(("others", month, cell), 0, FAR)
                self.sums.append((("cell", month, _total(cell)), [("cell", month, cell), ("others", month, cell)]))
                for kind in ("cell", "stopped"):
                    if kind == "cell" or _later(cell) in shown:
                        parts[kind, _total(cell), cell.dimension].append((kind, month, cell))
        self.sums += [((kind, month, total), names) for (kind, total, _), names in parts.items()]

    def _learn_history(self) -> None:
        for cell in {cell for shown in self.months for cell in shown}:
            self._learn_course(cell)
        for month in range(1, len(self.months)):
            self._learn_newcomers(month)

    def _learn_course(self, cell: Cell) -> None:
        """A figure that stands is off by less than k from the count behind it; one that moved, moved by at least k."""
        behind: Name = ()
        last: int | None = None
        for month, shown in enumerate(self.months):
            value = shown.get(cell)
            if cell not in shown:
                last = None
            if value is None:
                continue
            name: Name = ("cell", month, cell)
            step: Name = ("step", month, cell)
            if last is not None:
                self.sums.append((name, [behind, step]))
            if value == last:
                self._tighten(step, -self.k + 1, self.k - 1)
                continue
            if last is not None:
                self._tighten(step, *((self.k, FAR) if value > last else (-FAR, -self.k)))
            self._tighten(name, max(self.k, value - self.half), value + self.half)
            behind, last = name, value

    def _learn_newcomers(self, month: int) -> None:
        """People come and rarely go; where both months have the same groups, the newcomers add up too."""
        before, now = self.months[month - 1], self.months[month]
        came: dict[tuple[Cell, Dimension], list[Name]] = defaultdict(list)
        for cell in before.keys() & now.keys():
            change: Name = ("came", month, cell)
            self._tighten(change, 0 if cell.stage in GROWING else -FAR, FAR)
            self.sums.append((("cell", month, cell), [("cell", month - 1, cell), change]))
            if cell.dimension is not Dimension.ALL and _same_groups(before, now, cell.dimension):
                came[_total(cell), cell.dimension].append(change)
        self.sums += [(("came", month, total), names) for (total, _), names in came.items()]

    def _tighten(self, name: Name, low: int, high: int) -> bool:
        before = self.bounds[name]
        after = max(before[0], low), min(before[1], high)
        assert after[0] <= after[1], f"the published figures contradict each other at {name}"
        self.bounds[name] = after
        return after != before

    def _solve(self) -> None:
        changed = True
        while changed:
            changed = False
            for whole, parts in self.sums:
                low = sum(self.bounds[part][0] for part in parts)
                high = sum(self.bounds[part][1] for part in parts)
                changed |= self._tighten(whole, low, high)
                for part in parts:
                    own_low, own_high = self.bounds[part]
                    whole_low, whole_high = self.bounds[whole]
                    others_low = sum(self.bounds[other][0] for other in parts) - own_low
                    others_high = sum(self.bounds[other][1] for other in parts) - own_high
                    changed |= self._tighten(part, whole_low - others_high, whole_high - others_low)


def _later(cell: Cell) -> Cell | None:
    position = STAGES.index(cell.stage) + 1
    return cell._replace(stage=STAGES[position]) if position < len(STAGES) else None


def _total(cell: Cell) -> Cell:
    return Cell(cell.stage, Dimension.ALL, "")


def _same_groups(before: Iterable[Cell], now: Iterable[Cell], dimension: Dimension) -> bool:
    groups = [{cell.group for cell in cells if cell.dimension is dimension} for cells in (before, now)]
    return groups[0] == groups[1]
