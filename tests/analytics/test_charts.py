"""Charts and exports: readable without seeing, and harmless whatever a unit is called."""

import csv
from xml.etree import ElementTree as ET

from analytics.charts import Bar, bars
from analytics.disclosure import publish
from analytics.exporting import as_csv
from analytics.measures import Stage
from analytics.participation import view
from analytics_people import Person, counts_of
from markupsafe import Markup

SVG = "{http://www.w3.org/2000/svg}"


def parsed(chart: Markup) -> ET.Element:
    """The chart as a browser reads it inside a page."""
    return ET.fromstring(str(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314 - our own


def test_a_chart_has_a_title_and_a_description() -> None:
    """Both are named by the drawing, which is one picture to a screen reader."""
    chart = parsed(bars("funnel", "People", "Eligible 40, Started 10", [Bar("Eligible", 40, "40")]))

    named = chart.attrib["aria-labelledby"].split()
    texts = [chart.find(f"{SVG}{tag}[@id='{name}']") for tag, name in zip(("title", "desc"), named, strict=True)]
    assert chart.attrib["role"] == "img"
    assert [text.text for text in texts if text is not None] == ["People", "Eligible 40, Started 10"]


def test_names_are_text_never_markup() -> None:
    """A unit called like a tag is drawn as it is, and nothing is styled inline."""
    chart = bars("units", "<b>", 'a "quote"', [Bar("</text><script>alert(1)</script>", 1, "&")])

    assert "<script" not in chart
    assert "style=" not in chart
    assert parsed(chart) is not None


def test_bars_are_in_proportion_and_protected_ones_have_no_size() -> None:
    """Half the figure is half the width; a hidden figure is an outline of one fixed width."""
    items = [Bar("a", 40, "40"), Bar("b", 20, "20"), Bar("c", None, "protected"), Bar("d", None, "protected")]
    chart = parsed(bars("x", "x", "x", items))

    drawn = [rect.attrib["width"] for rect in chart.iter(f"{SVG}rect") if "series-1" in rect.attrib["class"]]
    hidden = {rect.attrib["width"] for rect in chart.iter(f"{SVG}rect") if rect.attrib["class"] == "chart-protected"}
    assert drawn == ["100.0%", "50.0%"]
    assert len(hidden) == 1


def test_an_empty_chart_is_still_one() -> None:
    """No bars, or only protected ones, divide by nothing."""
    assert parsed(bars("x", "x", "x", [])) is not None
    assert parsed(bars("x", "x", "x", [Bar("a", None, "protected"), Bar("b", 0, "0")])) is not None


def test_csv_holds_shown_figures_and_no_formulas() -> None:
    """Hidden cells say so in words, and a unit that a spreadsheet would run is quoted."""
    people = [Person("1-3", "=1+1", Stage.ELIGIBLE) for _ in range(12)] + [Person("4-6", "it", Stage.MET)] * 8
    report = publish(counts_of("2026-10", people), [])

    lines = as_csv(view([report], "2026-10")).splitlines()

    assert lines[0] == "period,breakdown,group,figure,value,base,of,definition"
    figures = {tuple(line[:7]) for line in csv.reader(lines)}
    assert ("2026-10", "unit", "'=1+1", "eligible", "10", "eligible", "10") in figures
    assert ("2026-10", "unit", "'=1+1", "met", "fewer than 5 or protected", "eligible", "10") in figures
    assert ("2026-10", "all", "", "eligible", "20", "eligible", "20") in figures
