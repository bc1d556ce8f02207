"""What matching's processes read from their environment."""

from chassis.settings import Settings
from pydantic import Field


class MatchingSettings(Settings):
    """Settings of the API and the command line."""

    instance: str = Field(default="matching-api-0", min_length=1, description="Stable name of this replica.")
    port: int = Field(default=8102, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    tenant: str = Field(default="demo", min_length=1, description="The organisation that the command line works for.")


class EngineSettings(MatchingSettings):
    """Settings of the engine, which serves nothing but its probes."""

    instance: str = Field(default="matching-engine-0", min_length=1, description="Stable name of this replica.")
    port: int = Field(default=8103, ge=0, le=65535, description="Port of the probes; 0 takes a free one.")
