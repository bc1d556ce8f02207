"""What came of a command that carried an idempotency key: the same key again changes nothing."""

from typing import Final

from contracts.matching import Status
from pydantic import BaseModel

RECEIPTS_KEPT: Final = 20


class Receipt(BaseModel):
    """The result of a command that carried an idempotency key."""

    key: str
    status: Status
    agreement_version: int = 0
