"""The CloudEvents 1.0 envelope, carried in Kafka binary mode, and the data classes of fields.

Protocol: CloudEvents 1.0.2 with its Kafka protocol binding (binary content mode): attributes as
``ce_*`` headers, the body as JSON, ``content-type`` beside them. ``sequence`` follows the CloudEvents
sequence extension but is compared as an integer; it counts from 1 per stream and aggregate.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Annotated, ClassVar, Final, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema

from contracts.topics import Topic

Headers = list[tuple[str, bytes]]
CONTENT_TYPE: Final = "application/json"
MOST_DIGITS: Final = 18  # of a sequence: fits a signed 64-bit integer everywhere


class DataClass(StrEnum):
    """How closely a field is tied to a person; each topic carries only some of these."""

    NONE = "none"
    PSEUDONYMOUS = "pseudonymous"
    PERSONAL = "personal"
    SPECIAL = "special"


Plain = Field(json_schema_extra={"x-data-class": DataClass.NONE.value})
Pseudonymous = Field(json_schema_extra={"x-data-class": DataClass.PSEUDONYMOUS.value})

MemberId = Annotated[
    str, Field(min_length=1, max_length=64, description="Opaque id of a member: random, never derived."), Pseudonymous
]
AggregateId = Annotated[
    str, Field(min_length=1, max_length=64, description="Opaque id of the aggregate."), Pseudonymous
]


class OpenEnum(StrEnum):
    """An enumeration that writers keep to and readers don't insist on.

    A value from a newer producer arrives as a member of its own, equal to its text and to no known member. Only
    JSON is read that way: our own code and HTTP requests can't make such a value.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Self], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate as pydantic does, and then let unknown text pass."""
        return core_schema.with_info_wrap_validator_function(cls._read, handler(source))

    @classmethod
    def _read(cls, value: object, known: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Self:
        if info.mode != "json" or not isinstance(value, str) or value in cls._value2member_map_:
            member: Self = known(value)
            return member
        unknown = str.__new__(cls, value)
        unknown._name_ = "UNKNOWN"
        unknown._value_ = value
        return unknown


class Part(BaseModel):
    """A nested part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(BaseModel):
    """What a service says. Subclasses are the writer's closed schema; readers ignore what they don't know."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    topic: ClassVar[Topic]
    fact: ClassVar[str]  # kebab-case, past tense

    @classmethod
    def event_type(cls) -> str:
        """The ``ce_type`` on the wire, for example ``turnabout.matching.match-proposed.v1``."""
        return f"turnabout.{cls.topic.owner}.{cls.fact}.v{cls.topic.version}"


class BadEnvelopeError(ValueError):
    """The headers of a record do not make a CloudEvent; the message says which and why."""


class Envelope(NamedTuple):
    """The context attributes of one event.

    A named tuple, because every consumed record makes one: a frozen dataclass costs six times as much to make, and
    the garbage collector goes through it again and again.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    tenant: str
    sequence: int
    partition_key: str
    data_schema: str
    traceparent: str | None = None
    causation_id: str | None = None

    def to_headers(self) -> Headers:
        """Headers in the order of the specification's attribute list."""
        values: dict[str, str | None] = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": self.source,
            "ce_type": self.type,
            "ce_subject": self.subject,
            "ce_time": self.time,
            "ce_tenantid": self.tenant,
            "ce_sequence": str(self.sequence),
            "ce_partitionkey": self.partition_key,
            "ce_dataschema": self.data_schema,
            "ce_causationid": self.causation_id,
            "ce_traceparent": self.traceparent,
            "traceparent": self.traceparent,
            "content-type": CONTENT_TYPE,
        }
        return [(name, value.encode()) for name, value in values.items() if value is not None]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> "Envelope":
        """Read the envelope of a record.

        Raises:
            BadEnvelopeError: a required attribute is missing, not UTF-8, or not of its type.
        """
        found = dict(headers)
        if found.get("ce_specversion") != b"1.0":
            raise BadEnvelopeError("ce_specversion must be 1.0")
        try:
            event_id, source, kind, subject, time, tenant, digits, key = [value.decode() for value in _required(found)]
            schema, trace, cause = [value.decode() if value else None for value in map(found.get, _OPTIONAL)]
            zone = datetime.fromisoformat(time).tzinfo
        except (KeyError, AttributeError, ValueError) as error:  # absent, null, not UTF-8 or no time
            raise _complaint(found) from error
        if not (event_id and source and kind and subject and tenant and key):
            raise _complaint(found)
        if zone is None:
            raise BadEnvelopeError("ce_time must have a zone")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS and (sequence := int(digits))):
            raise BadEnvelopeError("ce_sequence must be a positive decimal number of at most 18 digits")
        return cls(event_id, source, kind, subject, time, tenant, sequence, key, schema or "", trace, cause)


_REQUIRED: Final = tuple(
    f"ce_{name}" for name in ("id", "source", "type", "subject", "time", "tenantid", "sequence", "partitionkey")
)
_OPTIONAL: Final = ("ce_dataschema", "ce_traceparent", "ce_causationid")
_required: Final = itemgetter(*_REQUIRED)


def _complaint(found: Mapping[str, bytes | None]) -> BadEnvelopeError:
    """Say which header is at fault; only a refused record is looked at so closely."""
    for name in (*_REQUIRED, *_OPTIONAL):
        try:
            text = (found.get(name) or b"").decode()
        except UnicodeDecodeError:
            return BadEnvelopeError(f"header {name} is not UTF-8")
        if not text and name in _REQUIRED:
            return BadEnvelopeError(f"header {name} is missing")
    return BadEnvelopeError("ce_time must be an RFC 3339 time")
