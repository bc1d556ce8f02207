"""What the metrics of a service's processes say about its promises: figures, each judged. Pure.

Nothing is counted here that Prometheus does not scrape as well. What several processes tell of one thing is put
together as `chassis.metrics` says: the greatest where all of them see the same, the sum where each sees its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_DAY: Final = 86_400.0
_PREFIX: Final = "turnabout_"
Merge = Callable[[Iterable[float]], float]


class Judgement(IntEnum):
    """How it stands, the worst last."""

    GOOD = 0
    ATTENTION = 1
    BAD = 2


class Promise(StrEnum):
    """What an operator is shown, in this order."""

    LAG = "lag"
    PAUSED = "paused"
    DEAD_LETTERS = "dead-letters"
    PARKED = "parked"
    PENDING = "pending"
    WORK = "work"
    TIMERS = "timers"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Threshold:
    """From how many seconds on a figure deserves attention, and from how many on the promise is broken."""

    attention: float
    bad: float

    def judge(self, seconds: float) -> Judgement:
        """A figure of this many seconds."""
        if seconds >= self.bad:
            return Judgement.BAD
        return Judgement.ATTENTION if seconds >= self.attention else Judgement.GOOD


THRESHOLDS: Final[Mapping[str, Threshold]] = {
    # Nearly every event is handled within 5 s, and the figure is up to 5 s old. After two minutes whoever waits for a
    # notice has looked again and found nothing.
    Promise.LAG: Threshold(attention=15, bad=120),
    # A letter is looked at the same day. After 14 days its topic forgets it.
    Promise.DEAD_LETTERS: Threshold(attention=0, bad=_DAY),
    # As its letter; behind it wait facts of the same people.
    Promise.PARKED: Threshold(attention=0, bad=_DAY),
    # Published within a second; what a crash left is taken over after 10 s. A minute is more than any restart takes.
    Promise.PENDING: Threshold(attention=15, bad=60),
    # Fires within two seconds. Ten minutes are a reminder that comes too late for its session.
    Promise.TIMERS: Threshold(attention=60, bad=600),
    # Asked every 5 s with 10 s of patience, so two misses are an outage and a minute is one that somebody has to end.
    "answered": Threshold(attention=20, bad=60),
    # A start takes some seconds, a reader of a long topic some more.
    "waiting": Threshold(attention=0, bad=60),
}
# A pause of a moment comes with each rebalance; a fault is over when database or broker are back; the others stay.
PAUSES: Final[Mapping[str, Judgement]] = {
    "opening": Judgement.GOOD,
    "fault": Judgement.ATTENTION,
    "breaker": Judgement.BAD,
    "failed": Judgement.BAD,
}
# Work is tried again every few seconds: what did not fail for a minute has been done. How long it is owed is `pending`.
WORK_RESTS_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what it is about, why if there are kinds of it, how many, for how long, and what that means."""

    subject: str
    judgement: Judgement
    why: str = ""
    count: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the service."""

    instance: str
    judgement: Judgement
    answers: bool = False
    version: str = ""
    started: float = 0.0
    """Unix seconds."""
    waiting_for: tuple[str, ...] = ()
    answered: Mapping[str, float] = field(default_factory=dict)
    """How many seconds ago database and broker answered it last."""


@dataclass(frozen=True, slots=True)
class Report:
    """How one service stands."""

    processes: tuple[Process, ...]
    promises: Mapping[Promise, tuple[Figure, ...]]

    def of(self, promise: Promise) -> Judgement:
        """The worst figure of one promise."""
        return max((figure.judgement for figure in self.promises[promise]), default=Judgement.GOOD)

    @property
    def of_processes(self) -> Judgement:
        """The worst process."""
        return max((process.judgement for process in self.processes), default=Judgement.BAD)

    @property
    def judgement(self) -> Judgement:
        """The worst of everything."""
        return max(self.of_processes, *(self.of(promise) for promise in self.promises))


def report(scrapes: Mapping[str, str | None], now: float) -> Report:
    """The report of a service.

    Args:
        scrapes: what each process answered when it was asked for its metrics, by its address; None for no answer.
        now: the machine's time in unix seconds.
    """
    told = {address: None if text is None else Samples.of(text) for address, text in scrapes.items()}
    heard = Samples.together([samples for samples in told.values() if samples is not None])
    promises = {
        Promise.LAG: _lag(heard),
        Promise.PAUSED: _paused(heard),
        Promise.DEAD_LETTERS: _dead_letters(heard),
        Promise.PARKED: _parked(heard),
        Promise.PENDING: _pending(heard),
        Promise.WORK: _work(heard, now),
        Promise.TIMERS: _timers(heard),
        Promise.RELAY: _relay(heard, now),
    }
    return Report(tuple(_process(address, samples, now) for address, samples in told.items()), promises)


@dataclass(frozen=True, slots=True)
class Samples:
    """Ours among the samples of one process, or of several."""

    found: tuple[Sample, ...]

    @classmethod
    def of(cls, text: str) -> "Samples":
        """Those of one scrape; none when the text is no metrics, for then whoever answered is no process of ours."""
        try:
            families = list(text_string_to_metric_families(text))
        except ValueError:
            return cls(())
        return cls(tuple(each for family in families for each in family.samples if each.name.startswith(_PREFIX)))

    @classmethod
    def together(cls, several: Sequence["Samples"]) -> "Samples":
        """Those of several processes."""
        return cls(tuple(sample for samples in several for sample in samples.found))

    def by(self, name: str, *labels: str, merge: Merge) -> dict[tuple[str, ...], float]:
        """One metric by the values of its labels, in their order."""
        values: dict[tuple[str, ...], list[float]] = {}
        for sample in self.found:
            if sample.name == _PREFIX + name:
                values.setdefault(tuple(sample.labels[label] for label in labels), []).append(sample.value)
        return {place: merge(found) for place, found in sorted(values.items())}

    def one(self, name: str, merge: Merge = max) -> float:
        """A metric without labels; 0 where nobody tells it."""
        return self.by(name, merge=merge).get((), 0.0)


# --- Processes ------------------------------------------------------------------------------------------------------


def _process(address: str, samples: Samples | None, now: float) -> Process:
    named = {} if samples is None else samples.by("process_info", "instance", "version", merge=max)
    if samples is None or not named:
        return Process(address.partition("//")[2] or address, Judgement.BAD)
    instance, version = next(iter(named))
    started = samples.one("started_timestamp_seconds")
    waiting = tuple(what for (what,), is_it in samples.by("waiting_for", "what", merge=max).items() if is_it)
    answered = {
        who: max(now - at, 0.0) for (who,), at in samples.by("answered_timestamp_seconds", "who", merge=max).items()
    }
    judgements = [THRESHOLDS["answered"].judge(seconds) for seconds in answered.values()]
    if waiting:
        judgements.append(THRESHOLDS["waiting"].judge(now - started))
    return Process(
        instance=instance,
        judgement=max(judgements, default=Judgement.GOOD),
        answers=True,
        version=version,
        started=started,
        waiting_for=waiting,
        answered=answered,
    )


# --- Promises -------------------------------------------------------------------------------------------------------


def _lag(heard: Samples) -> tuple[Figure, ...]:
    records = heard.by("consumer_lag_records", "group", merge=sum)
    judge = THRESHOLDS[Promise.LAG].judge
    return tuple(
        Figure(group, judge(seconds), count=int(records.get((group,), 0)), seconds=seconds)
        for (group,), seconds in heard.by("consumer_lag_seconds", "group", merge=max).items()
    )


def _paused(heard: Samples) -> tuple[Figure, ...]:
    return tuple(
        Figure(group, PAUSES.get(why, Judgement.BAD), why=why, count=int(partitions))
        for (group, why), partitions in heard.by("consumer_paused", "group", "why", merge=sum).items()
        if partitions
    )


def _dead_letters(heard: Samples) -> tuple[Figure, ...]:
    ages = heard.by("dead_letters_oldest_seconds", "group", "reason", merge=max)
    judge = THRESHOLDS[Promise.DEAD_LETTERS].judge
    return tuple(
        Figure(group, judge(age := ages.get((group, reason), 0.0)), why=reason, count=int(letters), seconds=age)
        for (group, reason), letters in heard.by("dead_letters", "group", "reason", merge=max).items()
        if letters
    )


def _parked(heard: Samples) -> tuple[Figure, ...]:
    ages = heard.by("parked_keys_oldest_seconds", "group", merge=max)
    judge = THRESHOLDS[Promise.PARKED].judge
    return tuple(
        Figure(group, judge(age := ages.get((group,), 0.0)), count=int(keys), seconds=age)
        for (group,), keys in heard.by("parked_keys", "group", merge=max).items()
        if keys
    )


def _pending(heard: Samples) -> tuple[Figure, ...]:
    judge = THRESHOLDS[Promise.PENDING].judge
    return tuple(
        Figure(collection, judge(seconds), seconds=seconds)
        for (collection,), seconds in heard.by("pending_oldest_seconds", "collection", merge=max).items()
    )


def _work(heard: Samples, now: float) -> tuple[Figure, ...]:
    failed_at = heard.by("work_failed_timestamp_seconds", "kind", merge=max)
    figures = []
    for (kind,), failures in heard.by("work_failures_total", "kind", merge=sum).items():
        rested = max(now - failed_at.get((kind,), 0.0), 0.0)
        judgement = Judgement.ATTENTION if rested < WORK_RESTS_SECONDS else Judgement.GOOD
        figures.append(Figure(kind, judgement, count=int(failures), seconds=rested))
    return tuple(figures)


def _timers(heard: Samples) -> tuple[Figure, ...]:
    late = heard.by("timers_late_seconds", "timer", merge=max)
    judge = THRESHOLDS[Promise.TIMERS].judge
    return tuple(
        Figure(timer, judge(seconds := late.get((timer,), 0.0)), count=int(due), seconds=seconds)
        for (timer,), due in heard.by("timers_due", "timer", merge=max).items()
    )


def _relay(heard: Samples, now: float) -> tuple[Figure, ...]:
    """How much it published is no promise, and never bad: that something waits is told by `Promise.PENDING`."""
    acknowledged = heard.one("relay_acknowledged_timestamp_seconds")
    since = max(now - acknowledged, 0.0) if acknowledged else None
    published, healed = heard.one("relay_published_total", sum), heard.one("relay_healed_total", sum)
    return (
        Figure("published", Judgement.GOOD, count=int(published), seconds=since),
        Figure("healed", Judgement.GOOD, count=int(healed)),
    )
