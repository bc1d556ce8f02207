"""The generated files beside the code: written by one command, compared by the tests, released for ever."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator

from contracts import asyncapi, examples
from contracts.catalogue import CATALOGUE, Catalogue, Entry
from contracts.compatibility import breaks, projections
from contracts.schemas import Schema

FOLDER: Final = Path(__file__).parents[1]
_BEGIN: Final = "<!-- generated: events -->"
_END: Final = "<!-- end of generated -->"


@dataclass(frozen=True, slots=True)
class Committed:
    """The folder that holds ``schemas``, ``examples``, the AsyncAPI documents and the README."""

    folder: Path = FOLDER
    catalogue: Catalogue = CATALOGUE

    def write(self) -> list[Path]:
        """Bring the generated files up to date; returns those that changed."""
        changed = []
        for path, text in self._generated().items():
            if not path.exists() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                changed.append(path)
        for path in self._leftovers():
            path.unlink()
            changed.append(path)
        return changed

    def release(self) -> list[Path]:
        """Keep the current schemas as released revisions: from now on every change is judged against them."""
        made = []
        for entry in self.catalogue:
            now, kept = projections(entry), self.released(entry)
            if kept and kept[-1] == now:
                continue
            for side, schema in now.items():
                path = self._released / f"{entry.type}.r{len(kept) + 1}.{side}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_text(schema))
                made.append(path)
        return made

    def check(self) -> list[str]:
        """Everything that keeps this from being merged; empty when all is well."""
        stale = [path for path, text in self._generated().items() if not path.exists() or path.read_text() != text]
        found = [
            f"{path.relative_to(self.folder)} is out of date: run python -m contracts write"
            for path in [*stale, *self._leftovers()]
        ]
        found += self._broken()
        found += self._bad_examples()
        return found

    def released(self, entry: Entry) -> list[dict[str, Schema]]:
        """The released revisions of one event, oldest first."""
        kept: list[dict[str, Schema]] = []
        while (path := self._released / f"{entry.type}.r{len(kept) + 1}.writer.json").exists():
            reader = path.with_name(path.name.replace(".writer.json", ".reader.json"))
            kept.append({"writer": json.loads(path.read_text()), "reader": json.loads(reader.read_text())})
        return kept

    @property
    def _released(self) -> Path:
        return self.folder / "schemas" / "released"

    def _generated(self) -> dict[Path, str]:
        shown = examples.load(self.folder / "examples")
        made = {
            self.folder / "schemas" / f"{entry.type}.{side}.json": _text(schema)
            for entry in self.catalogue
            for side, schema in projections(entry).items()
        }
        for name, audiences in (("asyncapi", asyncapi.PUBLIC), ("asyncapi-platform", asyncapi.PLATFORM)):
            made[self.folder / f"{name}.yaml"] = asyncapi.to_yaml(asyncapi.document(self.catalogue, shown, audiences))
        readme = self.folder / "README.md"
        made[readme] = _with_table(readme.read_text() if readme.exists() else f"{_BEGIN}\n{_END}\n", self.catalogue)
        return made

    def _leftovers(self) -> list[Path]:
        known = {f"{entry.type}.{side}.json" for entry in self.catalogue for side in ("writer", "reader")}
        return sorted(path for path in (self.folder / "schemas").glob("*.json") if path.name not in known)

    def _broken(self) -> list[str]:
        found = []
        for entry in self.catalogue:
            now = projections(entry)
            for number, old in enumerate(self.released(entry), start=1):
                if old != now:
                    found += [f"{entry.type} breaks its revision {number}: {why}" for why in breaks(old, now)]
        living = {entry.type for entry in self.catalogue}
        gone = {path.name.rpartition(".r")[0] for path in self._released.glob("*.r1.writer.json")} - living
        return found + [f"{name} was released and is gone: keep it while anybody may read it" for name in sorted(gone)]

    def _bad_examples(self) -> list[str]:
        found, shown = [], examples.load(self.folder / "examples")
        for entry in self.catalogue:
            revisions = [*self.released(entry), projections(entry)]
            mine = [item for item in shown if item.type == entry.type]
            if not mine:
                found.append(f"{entry.type} has no example: write one in {self.folder.name}/examples")
            for item in mine:
                if not any(_accepts(revision["writer"], item) for revision in revisions):
                    found.append(f"example {item.name} is not what any revision of its producer writes")
                if not all(_accepts(revision["reader"], item) for revision in revisions):
                    found.append(f"example {item.name} can't be read by every revision")
        return found + [f"example {item.name}: {why}" for item in shown for why in examples.problems(item)]


def _accepts(schema: Schema, item: examples.Example) -> bool:
    return bool(Draft202012Validator(schema).is_valid(item.body))


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _with_table(readme: str, catalogue: Catalogue) -> str:
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}\n{table(catalogue)}\n{end}{after}"


def table(catalogue: Catalogue) -> str:
    """Event → producer → topic → who listens, as a Markdown table."""
    rows = [
        "| Event | Said by | Topic | Audience | Key | Handled by | Read whole by |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in catalogue:
        cells = (
            f"`{entry.event.__name__}`",
            entry.owner,
            f"`{entry.topic.name}`",
            f"{entry.topic.audience.value}, {entry.topic.kind.value}",
            f"`{entry.key}`",
            ", ".join(f"`{group}`" for group in entry.consumers) or "nobody yet",
            ", ".join(f"`{reader}`" for reader in entry.readers) or "nobody yet",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
