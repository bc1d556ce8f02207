"""Bar charts drawn on the server: plain SVG with a title and a description, and classes instead of inline styles.

A chart never stands alone: the page shows the same figures as a table beside it. Texts stand above their bars and in
the size of the page, only bars follow its width, so that on a phone no label has to give way in any language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

_ROW: Final = 44
_TEXT: Final = 14
_BAR: Final = 16
_LONGEST_LABEL: Final = 26


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
        f'<svg width="100%" height="{height}" role="img" '
        f"aria-labelledby={quoteattr(f'{name}-title {name}-description')}>"
        f"<title id={quoteattr(f'{name}-title')}>{escape(title)}</title>"
        f"<desc id={quoteattr(f'{name}-description')}>{escape(description)}</desc>"
        f'<g aria-hidden="true">{rows}</g></svg>'
    )


def _row(position: int, item: Bar, largest: float) -> str:
    text = position * _ROW + _TEXT
    y = text + 8
    label = item.label if len(item.label) <= _LONGEST_LABEL else item.label[: _LONGEST_LABEL - 1] + "…"
    if item.size is None:
        bar = f'<rect class="chart-protected" x="1" y="{y + 1}" width="28" height="{_BAR - 2}" rx="4"/>'
    else:
        share = max(item.size / largest * 100, 0.3)
        bar = f'<rect class="series-1" x="0" y="{y}" width="{share:.1f}%" height="{_BAR}" rx="4"/>'
    return (
        f'<text class="label" x="0" y="{text}">{escape(label)}</text>'
        f'<text class="value" x="100%" y="{text}" text-anchor="end">{escape(item.value)}</text>'
        f'<rect class="chart-track" x="0" y="{y}" width="100%" height="{_BAR}" rx="4"/>{bar}'
    )
