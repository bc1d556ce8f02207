"""What a process reads from its environment, once, at its composition root."""

from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL: Final = "local"
LOCAL_SECRET: Final = SecretStr("a secret for the local stack only")


class Settings(BaseSettings):
    """Settings that every service has; each service subclasses this and gives `instance` and `port` their defaults.

    Every field is an environment variable with the prefix ``TURNABOUT_``.
    """

    model_config = SettingsConfigDict(env_prefix="TURNABOUT_", frozen=True, extra="ignore")

    environment: str = Field(default=LOCAL, description="local, or the name of a deployment.")
    instance: str = Field(default="service-0", min_length=1, description="Stable name of this replica.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8100, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(default="http://127.0.0.1:8080", description="Where people reach the gateway.")

    kafka: str = Field(default="127.0.0.1:19092", description="Bootstrap servers, separated by commas.")
    kafka_user: str | None = Field(default=None, min_length=1, description="Principal; none without access control.")
    kafka_password: SecretStr | None = Field(default=None, description="Password of the principal.")
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512", description="How the principal proves who it is."
    )
    kafka_tls: bool = Field(default=False, description="Speak to the broker through TLS.")
    kafka_ca_file: Path | None = Field(default=None, description="Who vouches for the broker; else the system's own.")
    mongo: str = Field(
        default="mongodb://127.0.0.1:27117/?retryWrites=false&w=majority&journal=true",
        description="Connection string; may hold a password, so it is never logged.",
        repr=False,
    )
    driver: Literal["motor", "pymongo"] = Field(default="motor", description="The asynchronous MongoDB driver.")
    database_prefix: str = Field(default="", description="The database is this prefix and the service's name.")

    profiles_url: str = Field(default="http://127.0.0.1:8101", description="Where services reach profiles.")
    service_secret: SecretStr = Field(default=LOCAL_SECRET, description="By which services get their own tokens.")

    processes: str = Field(
        default="", description="Addresses of all processes of this service, separated by commas; else this one's."
    )
    runbooks_url: str | None = Field(default=None, description="The folder in which operators can read the runbooks.")

    clock_file: Path | None = Field(default=None, description="Seconds to add to the time; local stack only.")
    spans_file: Path | None = Field(default=None, description="Append finished spans here, one JSON object a line.")
    otlp_endpoint: str | None = Field(default=None, description="Collector's OTLP/HTTP address for spans.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")
    heartbeat_seconds: float = Field(default=2.0, gt=0, description="How often an instance says that it lives.")

    @property
    def process_addresses(self) -> tuple[str, ...]:
        """Where each process of this service answers for its metrics."""
        given = tuple(each.strip().rstrip("/") for each in self.processes.split(",") if each.strip())
        return given or (f"http://{self.host}:{self.port}",)

    @model_validator(mode="after")
    def _refuse_half_a_principal(self) -> Self:
        if (self.kafka_user is None) != (self.kafka_password is None):
            raise ValueError("TURNABOUT_KAFKA_USER and TURNABOUT_KAFKA_PASSWORD belong together: set both, or neither")
        return self

    @model_validator(mode="after")
    def _refuse_what_is_local(self) -> Self:
        if self.environment == LOCAL:
            return self
        if self.clock_file is not None:
            raise ValueError("TURNABOUT_CLOCK_FILE shifts time and works with TURNABOUT_ENVIRONMENT=local only")
        if self.service_secret.get_secret_value() == LOCAL_SECRET.get_secret_value():
            raise ValueError("TURNABOUT_SERVICE_SECRET must be set to a secret of this deployment")
        return self
