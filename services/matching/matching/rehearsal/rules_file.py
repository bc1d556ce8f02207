"""A programme's rules from a JSON file; what is wrong with one is told by the field's name."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from chassis.translation import gettext as _
from pydantic import ValidationError

from matching.engine.rules import Rules, Weights
from matching.rehearsal.reading import FileError

LARGEST_BYTES: Final = 1_000_000

_MESSAGES: Final = {
    "missing": lambda: _("is missing"),
    "greater_than_equal": lambda: _("is {input}, but must be at least {ge}"),
    "less_than_equal": lambda: _("is {input}, but must be at most {le}"),
    "int_type": lambda: _("is {input}, but must be a whole number"),
    "int_parsing": lambda: _("is {input}, but must be a whole number"),
    "int_from_float": lambda: _("is {input}, but must be a whole number"),
    "int_parsing_size": lambda: _("is too large a number"),
    "bool_type": lambda: _("is {input}, but must be true or false"),
    "bool_parsing": lambda: _("is {input}, but must be true or false"),
    "string_type": lambda: _("is {input}, but must be a text in quotation marks"),
    "string_pattern_mismatch": lambda: _("is {input}, which is not an area code such as ai-tools"),
    "string_too_short": lambda: _("is empty"),
    "string_too_long": lambda: _("is longer than {max_length} characters"),
    "enum": lambda: _("is {input}, but must be {expected}"),
    "tuple_type": lambda: _("is {input}, but must be a list in square brackets"),
    "too_long": lambda: _("has more than {max_length} entries"),
    "model_type": lambda: _("is {input}, but must be an object in curly brackets"),
}
_LONGEST_SHOWN: Final = 40


def read_rules(path: Path) -> Rules:
    """The rules in a file.

    Raises:
        FileError: it can't be read, or holds no rules; the message names every field that is wrong.
    """
    content = _content(path)
    try:
        return Rules.model_validate(content)
    except ValidationError as error:
        told = "; ".join(dict.fromkeys(_told(dict(each)) for each in error.errors(include_url=False)))
        raise FileError(_("{path} can't be used as rules: {told}.").format(path=path, told=told)) from error


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise FileError(
                _("{path} is larger than 1 MB and was not read: a rules file has a few kilobytes.").format(path=path)
            )
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES).decode("utf-8-sig")  # a pipe has no size beforehand
    except OSError as error:
        raise FileError(_("We could not read {path}: {why}.").format(path=path, why=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise FileError(_("{path} is not UTF-8 text.").format(path=path)) from error
    try:
        content = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise FileError(
            _("{path} is not JSON: line {line}, column {column}: {why}.").format(
                path=path, line=error.lineno, column=error.colno, why=error.msg
            )
        ) from error
    except ValueError as error:
        raise FileError(f"{path}: {error}.") from error
    except RecursionError as error:
        raise FileError(_("{path} is nested too deeply to be rules.").format(path=path)) from error
    if not isinstance(content, dict):
        raise FileError(_("{path} must hold one JSON object with the fields of rules.").format(path=path))
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a field that stands there twice: JSON would silently take the last one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(_("the field {field} stands there twice").format(field=_short(twice)))
    return found


def _told(error: Mapping[str, Any]) -> str:
    place = ".".join(_short(part) for part in error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(error["loc"], place)
    if kind == "string_unicode":
        return _("{field} holds a character that does not exist").format(field=place or _("a field's name"))
    if kind == "value_error":
        return str(context["error"]).rstrip(".")
    if kind not in _MESSAGES:
        return f"{place}: {error['msg']}"
    shown = json.dumps(error["input"], ensure_ascii=False, default=str)
    return f"{place} {_MESSAGES[kind]().format(**{**context, 'input': _short(shown)})}"


def _unknown(location: tuple[str | int, ...], place: str) -> str:
    names = list(Weights.model_fields if location[0] == "weights" and len(location) > 1 else Rules.model_fields)
    near = difflib.get_close_matches(str(location[-1])[:_LONGEST_SHOWN], names, n=1)
    if near:
        return _("{field} is not a field of rules; {near} is").format(field=place, near=near[0])
    return _("{field} is not a field of rules").format(field=place)


def _short(value: object) -> str:
    text = "".join(sign if sign.isprintable() else "?" for sign in str(value))
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
