"""Bar charts drawn on the server: plain SVG with a title and a description, and classes instead of inline styles.

A chart never stands alone: the page shows the same figures as a table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

_WIDTH: Final = 480
_LABEL: Final = 156
_VALUE: Final = 84
_ROW: Final = 34
_BAR: Final = 20
_LONGEST_LABEL: Final = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; without a size only its outline is drawn, for a figure that is not shown."""

    label: str
    size: float | None
    value: str


def bars(name: str, title: str, description: str, items: Sequence[Bar], *, top: float | None = None) -> Markup:
    """A horizontal bar chart.

    Args:
        name: unique on the page; title and description get their ids from it.
        title: what the chart shows.
        description: the same in a sentence with the most important figures, for those who can't see it.
        items: the bars, top down.
        top: the size that fills the whole width; by default the largest one.
    """
    largest = top or max((item.size for item in items if item.size is not None), default=0) or 1
    height = _ROW * len(items) + 4
    rows = "".join(_row(position, item, largest) for position, item in enumerate(items))
    # The labels and values are in the table beside it, so they are not read out a second time.
    return Markup(  # noqa: S704 - every text passes through `escape` or `quoteattr`
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f"aria-labelledby={quoteattr(f'{name}-title {name}-description')}>"
        f"<title id={quoteattr(f'{name}-title')}>{escape(title)}</title>"
        f"<desc id={quoteattr(f'{name}-description')}>{escape(description)}</desc>"
        f'<g aria-hidden="true">{rows}</g></svg>'
    )


def _row(position: int, item: Bar, largest: float) -> str:
    y = position * _ROW + (_ROW - _BAR) // 2
    middle = y + _BAR // 2
    room = _WIDTH - _LABEL - _VALUE
    label = item.label if len(item.label) <= _LONGEST_LABEL else item.label[: _LONGEST_LABEL - 1] + "…"
    kind, width = ("series-1", item.size / largest * room) if item.size is not None else ("chart-protected", 28.0)
    return (
        f'<text class="label" x="{_LABEL - 12}" y="{middle}" text-anchor="end" dominant-baseline="central">'
        f"{escape(label)}</text>"
        f'<rect class="chart-track" x="{_LABEL}" y="{y}" width="{room}" height="{_BAR}" rx="4"/>'
        f'<rect class="{kind}" x="{_LABEL}" y="{y}" width="{max(width, 1):.1f}" height="{_BAR}" rx="4"/>'
        f'<text class="value" x="{_LABEL + room + 10}" y="{middle}" dominant-baseline="central">'
        f"{escape(item.value)}</text>"
    )
