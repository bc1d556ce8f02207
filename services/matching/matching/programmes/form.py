"""The form with which a lead sets a programme up or changes it: what was typed, what is wrong with it, and the plan.

Nothing that was typed is lost: what cannot be read stands in its field again, beside the reason.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Self

from chassis.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from starlette.datastructures import FormData

from matching.domain.agreement import Cadence, Customs, Medium
from matching.domain.programme import AREAS_AT_MOST, LEADS_AT_MOST, Plan, Scheme
from matching.engine.rules import Direction, Rules

_BETWEEN_ADDRESSES: Final = re.compile(r"[\s,;]+")
_MANY: Final = ("areas", "keep")
"""What a form may send more than once."""
_RULES: Final = (
    *("direction", "level_gap", "reverse_only", "different_unit", "common_language", "common_minutes"),
    *("mentor_tenure", "new_joiner_months", "mentee_tenure", "unknown_chains", "proposals_per_person"),
    *("expiry_days", "areas"),
)
_MAY_BE_EMPTY: Final = "new_joiner_months"
"""Nothing is no limit, which is kept as 0."""
_CUSTOMS: Final = ("cadence", "medium", "minutes", "months")
"""Fields that stand in `Rules` and in `Customs` under the same names."""


class Entered(BaseModel):
    """The fields, read; what a box says that is not ticked is not sent."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    title: Annotated[str, Field(min_length=1, max_length=120)]
    about: Annotated[str, Field(max_length=2000)] = ""
    scheme: Scheme
    areas: Annotated[tuple[str, ...], Field(min_length=1, max_length=AREAS_AT_MOST)] = ()
    opens_on: date
    closes_on: date
    direction: Direction
    level_gap: Annotated[int, Field(ge=0, le=11)]
    reverse_only: bool = False
    different_unit: bool = False
    common_language: bool = False
    common_minutes: Annotated[int, Field(ge=0, le=720)]
    mentor_tenure: Annotated[int, Field(ge=0, le=600)]
    new_joiner_months: Annotated[int, Field(ge=0, le=600)]
    mentee_tenure: Annotated[int, Field(ge=0, le=600)]
    unknown_chains: bool = False
    proposals_per_person: Annotated[int, Field(ge=1, le=10)]
    expiry_days: Annotated[int, Field(ge=1, le=90)]
    review: bool = False
    cadence: Cadence
    medium: Medium
    minutes: Annotated[int, Field(ge=15, le=180)]
    months: Annotated[int, Field(ge=1, le=24)]

    @field_validator("closes_on")
    @classmethod
    def _closes_after_opening(cls, closes: date, info: ValidationInfo) -> date:
        opens = info.data.get("opens_on")
        if opens is not None and closes < opens:
            raise ValueError(_("The last day is before the first one."))
        return closes

    @field_validator("reverse_only")
    @classmethod
    def _has_a_gap(cls, reverse_only: bool, info: ValidationInfo) -> bool:
        if reverse_only and info.data.get("level_gap") == 0:
            raise ValueError(
                _("A mentee above the mentor needs a gap of at least one level, or year: raise it, or untick this.")
            )
        return reverse_only

    @field_validator("new_joiner_months")
    @classmethod
    def _leaves_somebody(cls, months: int, info: ValidationInfo) -> int:
        if 0 < months < info.data.get("mentor_tenure", 0):
            raise ValueError(
                _("Nobody can have been here that long and have joined that lately: raise this, or lower the other.")
            )
        return months

    def rules(self, before: Rules) -> Rules:
        """These rules; what the form does not ask, such as weights, stays."""
        return Rules.model_validate(before.model_dump() | {name: getattr(self, name) for name in _RULES})

    def plan(self, before: Plan, leads: tuple[str, ...]) -> Plan:
        """This plan; whether it is open stays."""
        return Plan(
            title=self.title,
            about=self.about.replace("\r\n", "\n"),
            scheme=self.scheme,
            opens_on=self.opens_on,
            closes_on=self.closes_on,
            open=before.open,
            review=self.review,
            leads=leads,
            rules=self.rules(before.rules),
            customs=Customs.model_validate({name: getattr(self, name) for name in _CUSTOMS}),
        )


@dataclass(frozen=True, slots=True)
class ProgrammeForm:
    """The form as it stands on the page."""

    values: dict[str, Any]
    """Text as typed, lists of what is ticked, and whether a box is."""
    errors: dict[str, str] = field(default_factory=dict)
    """One sentence a field."""
    entered: Entered | None = None
    """None as long as something is wrong."""
    keep: tuple[str, ...] = ()
    """Leads who stay."""
    addresses: tuple[str, ...] = ()
    """E-mail addresses of leads to come."""

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The form of a plan as it is."""
        flat = plan.model_dump(mode="json", include={"title", "about", "scheme", "opens_on", "closes_on", "review"})
        flat |= {name: getattr(plan.rules, name) for name in _RULES} | plan.customs.model_dump(mode="json")
        return cls(flat | {"new_leads": ""}, keep=plan.leads)

    @classmethod
    def read(cls, sent: FormData, labels: Mapping[str, str], allowed: Collection[str]) -> Self:
        """The form as somebody sent it.

        Args:
            sent: the fields.
            labels: of the organisation's areas, those that are no longer offered too; none while nobody can be asked.
            allowed: codes of those that may be named: they are offered, or the programme names them already.
        """
        values: dict[str, Any] = {name: value for name, value in sent.items() if isinstance(value, str)}
        values |= {name: [value for value in sent.getlist(name) if isinstance(value, str)] for name in _MANY}
        values |= {name: name in sent for name, field_ in Entered.model_fields.items() if field_.annotation is bool}
        values[_MAY_BE_EMPTY] = values.get(_MAY_BE_EMPTY) or "0"
        entered, errors = _validated(values)
        if wrong := unfit_area(values["areas"], labels, allowed):
            errors["areas"] = wrong
        addresses = tuple(address for address in _BETWEEN_ADDRESSES.split(str(values.get("new_leads", ""))) if address)
        keep = tuple(values["keep"])
        if len(keep) + len(addresses) > LEADS_AT_MOST:
            errors["new_leads"] = _("At most %(most)s people lead a programme.") % {"most": LEADS_AT_MOST}
        return cls(values, errors, None if errors else entered, keep, addresses)

    @property
    def rules(self) -> Rules | None:
        """The rules alone, although other fields may be wrong; none when they are."""
        try:
            return Rules.model_validate({name: self[name] for name in _RULES})
        except ValidationError:
            return None

    def wrong(self, name: str, sentence: str) -> Self:
        """The same with a reason beside a field."""
        return type(self)(self.values, self.errors | {name: sentence}, None, self.keep, self.addresses)

    def error(self, name: str) -> str | None:
        """The sentence beside a field."""
        return self.errors.get(name)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name, "")


def _validated(values: dict[str, Any]) -> tuple[Entered | None, dict[str, str]]:
    try:
        return Entered.model_validate(values), {}
    except ValidationError as refused:
        return None, dict(_sentences(refused))


def _sentences(refused: ValidationError) -> Iterable[tuple[str, str]]:
    for error in reversed(refused.errors()):
        name, limits = str(error["loc"][0]), error.get("ctx", {})
        yield name, sentence_of(name, error["type"], limits, error["msg"])


def unfit_area(areas: Iterable[str], labels: Mapping[str, str], allowed: Collection[str]) -> str:
    """What to say about an area that a programme may not name; nothing while nobody can be asked for labels."""
    code = min({*areas} - {*allowed}, default=None) if labels else None
    if code is None:
        return ""
    if code in labels:
        told = {"area": labels[code]}
        return _("%(area)s is no longer offered. Untick it, or ask who edits the areas to bring it back.") % told
    return _("We do not know the area %(code)s. Load the page again.") % {"code": code}


def sentence_of(name: str, kind: str, limits: dict[str, Any], message: str) -> str:
    """What is wrong with a field, by the kind of its error and the limits that this kind names."""
    asked = Entered.model_fields[name]
    if kind == "value_error":
        sentence = str(limits["error"])
    elif name == "areas":
        sentence = _("Choose between one and %(most)s areas.") % {"most": AREAS_AT_MOST}
    elif asked.annotation is date:
        sentence = _("Enter a day.")
    elif asked.annotation is int:
        least, most = (_limit(asked.metadata, at) for at in ("ge", "le"))
        sentence = _("Enter a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
    elif kind == "string_too_long":
        sentence = _("This is too long: keep to %(most)s characters.") % {"most": limits["max_length"]}
    elif asked.annotation is str:
        sentence = _("Fill this in.")
    else:
        sentence = _("Choose one of the list.") if kind in {"enum", "missing"} else message
    return sentence


def _limit(metadata: list[Any], at: str) -> int:
    return next(int(getattr(each, at)) for each in metadata if hasattr(each, at))
