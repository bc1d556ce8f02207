"""Calendar months in UTC, which every figure is about. Pure."""

from calendar import monthrange
from datetime import date

Period = str  # for example 2026-11


def month_of(day: date) -> Period:
    """The month that a day belongs to."""
    return f"{day.year:04d}-{day.month:02d}"


def next_month(period: Period) -> Period:
    """The month after."""
    year, month = _parts(period)
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def closed_months(first: Period, today: date) -> list[Period]:
    """Every month from `first` that is over; the running one is not."""
    months, running = [], month_of(today)
    while first < running:
        months.append(first)
        first = next_month(first)
    return months


def close_of(period: Period) -> date:
    """The day with which a month is over: the first of the next."""
    return date(*_parts(next_month(period)), 1)


def days_in(period: Period) -> int:
    """How many days it has."""
    return monthrange(*_parts(period))[1]


def _parts(period: Period) -> tuple[int, int]:
    return int(period[:4]), int(period[5:7])
