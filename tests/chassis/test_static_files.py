"""Files beside the pages: which are served, how long they may be kept, and colours that everybody can tell apart."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from chassis.web import pages
from chassis.web.pages import static_url, vendor
from web_pages import an_api, client_of

STATIC = Path(pages.__file__).parent / "static"


async def test_a_static_file_is_kept_as_long_as_it_is_the_same() -> None:
    """Its address has its hash; that very version may be kept for a year, any other is asked for again."""
    digest = sha256((STATIC / "turnabout.css").read_bytes()).hexdigest()[:12]
    assert static_url("turnabout.css") == f"/static/turnabout.css?v={digest}"
    async with client_of(an_api()) as client:
        exact = await client.get(static_url("turnabout.css"))
        old = await client.get("/static/turnabout.css?v=000000000000")
    assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert exact.headers["content-type"].startswith("text/css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


async def test_npm_files_come_from_the_vendor_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the listed ones, by the version of their package; a missing one leaves the page working without scripts."""
    listed = vendor()
    assert set(listed["packages"]) == {"htmx.org", "htmx-ext-sse"}
    script = tmp_path / listed["files"]["htmx.min.js"]
    script.parent.mkdir(parents=True)
    script.write_text("htmx")
    (tmp_path / "htmx.org" / "package.json").write_text("{}")
    monkeypatch.setenv("TURNABOUT_VENDOR_DIR", str(tmp_path))
    assert static_url("vendor/htmx.min.js") == f"/static/vendor/htmx.min.js?v={listed['packages']['htmx.org']}"
    async with client_of(an_api()) as client:
        found = await client.get(static_url("vendor/htmx.min.js"))
        absent = await client.get(static_url("vendor/sse.min.js"))
        unlisted = await client.get("/static/vendor/htmx.org/package.json")
        climbing = await client.get("/static/vendor/..%2f..%2fpages.py")
    assert (found.status_code, found.text) == (200, "htmx")
    assert "immutable" in found.headers["cache-control"]
    assert [absent.status_code, unlisted.status_code, climbing.status_code] == [404, 404, 404]


def luminance(colour: str) -> float:
    """Relative luminance of a colour as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAIRS = [
    *[("ink", ground, 4.5) for ground in ("paper", "surface", "sunken", "accent-tint", "good-tint", "warn-tint")],
    *[("soft", ground, 4.5) for ground in ("paper", "surface", "sunken", "accent-tint")],
    *[("accent", "paper", 4.5), ("accent", "surface", 4.5), ("accent-ink", "accent-tint", 4.5)],
    *[("on-accent", "accent", 4.5), ("on-accent", "accent-strong", 4.5), ("on-bad", "bad", 4.5)],
    *[("good", "good-tint", 4.5), ("warn", "warn-tint", 4.5), ("bad", "bad-tint", 4.5), ("bad", "surface", 4.5)],
    *[("edge", "surface", 3.0), ("focus", "paper", 3.0), ("focus", "surface", 3.0), ("accent", "sunken", 3.0)],
    *[(f"chart-{number}", "surface", 3.0) for number in (1, 3, 4)],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart(scheme: str) -> None:
    """Text 4.5 to 1, edges, focus and charts 3 to 1, in both schemes: WCAG 2.2 AA."""
    light, dark = (STATIC / "turnabout.css").read_text().split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark))
    for front, ground, least in PAIRS:
        high, low = sorted((luminance(colours[front]), luminance(colours[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, f"{front} on {ground}"
