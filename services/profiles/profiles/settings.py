"""What profiles reads from its environment."""

from typing import Final

from chassis.settings import LOCAL, Settings
from pydantic import Field, SecretStr, model_validator

LOCAL_CLIENT_SECRET: Final = SecretStr("the client secret of the local stack only")


class ProfilesSettings(Settings):
    """Settings of profiles, each an environment variable with the prefix ``TURNABOUT_``."""

    instance: str = Field(default="profiles-0", min_length=1, description="Stable name of this replica.")
    port: int = Field(default=8101, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    tenant: str = Field(default="demo", min_length=1, description="The organisation whose people sign in here.")
    organisation: str = Field(default="your organisation", description="Its name on the sign-in page.")

    oidc_issuer: str = Field(
        default="http://127.0.0.1:8080/oidc", description="The organisation's OpenID Connect identity provider."
    )
    oidc_client_id: str = Field(default="turnabout", min_length=1, description="What the provider calls us.")
    oidc_client_secret: SecretStr = Field(default=LOCAL_CLIENT_SECRET, description="Proves to the provider who we are.")

    @model_validator(mode="after")
    def _refuse_a_known_client_secret(self) -> "ProfilesSettings":
        known = self.oidc_client_secret.get_secret_value() == LOCAL_CLIENT_SECRET.get_secret_value()
        if known and self.environment != LOCAL:
            raise ValueError("TURNABOUT_OIDC_CLIENT_SECRET must be set to the secret that the identity provider gave")
        return self
