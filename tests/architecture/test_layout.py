"""The layout by which everybody finds their way: sizes, names, who imports what, and links that lead somewhere."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from contracts.catalogue import CATALOGUE

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = {path.name: path for path in sorted(ROOT.glob("services/*/*")) if (path / "__init__.py").exists()}
MOST_LINES: Final = 350
MOST_LINES_OF_A_FUNCTION: Final = 50
PURE_CHASSIS: Final = ("chassis.state.aggregate", "chassis.errors")
_CLOCK: Final = re.compile(r"(^|\.)(datetime|date)\.(now|utcnow|today)$")
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_FENCED: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_NAME_OF_CODE: Final = re.compile(r"`(?:[A-Z]\w*\.)?(\w+)`")

Tree = ast.Module


def modules(*folders: str) -> Iterator[tuple[str, str, Tree]]:
    """Each module below the folders: its path from the root, its text and its syntax tree."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            yield str(path.relative_to(ROOT)), text, ast.parse(text)


def calls(tree: ast.AST) -> Iterator[str]:
    """What is called, as it is written."""
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


def imported(path: Path) -> set[str]:
    """Full names of the modules that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            source = node.module or ""
            # `from chassis import clock` imports a module, `from chassis.errors import ConflictError` from one.
            names |= {f"{source}.{alias.name}" for alias in node.names} if "." not in source else {source}
    return names


def is_pure(name: str) -> bool:
    """Whether a module outside the services may be imported by a domain."""
    first = name.partition(".")[0]
    return first in {"contracts", "pydantic"} or first in sys.stdlib_module_names or name in PURE_CHASSIS


def domain_modules(service: str) -> list[Path]:
    """The pure core of a service: its domain, or its measures when it only counts."""
    package = PACKAGES[service]
    single = [path for path in (package / "domain.py", package / "measures.py") if path.exists()]
    return single or sorted((package / "domain").glob("*.py"))


def own_module(name: str) -> Path | None:
    """The file of a module of a service, when it is one."""
    package, _, rest = name.partition(".")
    if package not in PACKAGES:
        return None
    place = PACKAGES[package].joinpath(*rest.split("."))
    return place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"


def test_no_module_is_longer_than_one_sitting() -> None:
    """A module has at most 350 lines; past that it has two subjects."""
    long = {
        path: lines
        for path, text, _ in modules("contracts", "chassis", "services", "deploy")
        if (lines := len(text.splitlines())) > MOST_LINES
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    """A function has at most 50 lines, decorators aside, those inside it included."""
    long = {
        f"{path}:{node.name}": lines
        for path, _, tree in modules("contracts", "chassis", "services", "deploy")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_there_are_four_services() -> None:
    """The tests below look at each of them, and see one that is added."""
    assert sorted(PACKAGES) == ["analytics", "matching", "notifications", "profiles"]


@pytest.mark.parametrize("service", PACKAGES)
def test_every_service_has_the_same_core_modules(service: str) -> None:
    """Whoever knows one service finds their way in the next."""
    package = PACKAGES[service]
    found = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {"__main__", "api", "app", "pages", "settings", "store"} <= found
    assert found & {"domain", "measures"}


@pytest.mark.parametrize("service", PACKAGES)
def test_a_service_has_handlers_exactly_when_it_hears_something(service: str) -> None:
    """What is done about events stands in `handlers`, or in `projections` when they only become rows."""
    hears = any(group.startswith(f"{service}.") for group in CATALOGUE.consumers())
    found = [name for name in ("handlers", "projections") if (PACKAGES[service] / f"{name}.py").exists()]
    assert bool(found) == hears


@pytest.mark.parametrize("service", PACKAGES)
def test_domains_are_pure(service: str) -> None:
    """A domain, and whatever of its service it imports, needs contracts, the standard library and pydantic alone.

    From the chassis it may have aggregates and errors, so it can neither do I/O nor ask for the time.
    """
    waiting = domain_modules(service)
    assert waiting
    seen: set[Path] = set()
    impure: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path):
            if name.partition(".")[0] == service and (mine := own_module(name)):
                waiting.append(mine)
            elif not is_pure(name):
                impure[str(path.relative_to(ROOT))] = name
    assert impure == {}


def test_time_is_asked_for_in_one_place() -> None:
    """Only `chassis.clock` asks what time it is; a shifted clock would otherwise be right in some places only."""
    asking = {
        path
        for path, _, tree in modules("contracts", "chassis", "services", "deploy")
        if any(_CLOCK.search(call) for call in calls(tree))
    }
    assert asking == {"chassis/chassis/clock.py"}


def test_services_log_and_never_print() -> None:
    """A printed line has no level and no allow-list of fields."""
    printing = {path for path, _, tree in modules("chassis", "services") if "print" in calls(tree)}
    assert printing == set()


def pages_of_documentation() -> list[Path]:
    """Every page that is written for readers of the repository."""
    patterns = ("*.md", "docs/**/*.md", "contracts/*.md", "services/*/*.md")
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def links(page: Path) -> Iterator[tuple[str, Path]]:
    """Text and target of each link to a file, code blocks left out."""
    for text, address in _LINK.findall(_FENCED.sub("", page.read_text())):
        target = address.partition("#")[0]
        if target and "://" not in target and not target.startswith("mailto:"):
            yield text, page.parent / target


@pytest.mark.parametrize("page", pages_of_documentation(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    """Each link of the documentation names a file or folder that is there."""
    assert [str(target) for _, target in links(page) if not target.exists()] == []


@pytest.mark.parametrize("page", pages_of_documentation(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_code_name_something_defined_there(page: Path) -> None:
    """A link whose text is a name of code, as `Documents.change`, leads to the module that defines it."""
    lost = []
    for text, target in links(page):
        name = _NAME_OF_CODE.fullmatch(text)
        if name and target.suffix == ".py" and target.exists() and name[1] not in definitions(target):
            lost.append(f"{text} is not defined in {target}")
    assert lost == []


def definitions(path: Path) -> set[str]:
    """Names of the functions, methods, classes and constants of a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign():
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def test_the_index_lists_every_decision() -> None:
    """The index of decision records holds each number and title, in order, and nothing else."""
    folder = ROOT / "docs" / "decisions"
    records = {}
    for path in sorted(folder.glob("[0-9]*.md")):
        heading = re.fullmatch(r"# (\d+)[:.] (.+)", path.read_text().splitlines()[0])
        assert heading, f"{path.name} does not begin with its number and title"
        assert int(heading[1]) == int(path.name[:4]), path.name
        records[path.name] = heading[2]
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == list(records.items())
