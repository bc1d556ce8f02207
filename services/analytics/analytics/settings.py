"""Settings of analytics, on top of those that every service has."""

from typing import Final

from chassis.settings import Settings as ChassisSettings
from pydantic import Field

SERVICE: Final = "analytics"


class Settings(ChassisSettings):
    """What the process reads from its environment."""

    instance: str = Field(default="analytics-0", min_length=1, description="Stable name of this replica.")
    port: int = Field(default=8105, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    least_group: int = Field(default=5, ge=5, le=100, description="k: no figure stands for fewer people; not below 5.")
