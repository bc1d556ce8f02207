"""What a process reads from its environment."""

import ssl
from pathlib import Path

import pytest
from chassis.broker import client_options
from chassis.settings import Settings
from pydantic import SecretStr, ValidationError


class Sample(Settings):
    """A service's own settings."""

    instance: str = "sample-0"
    port: int = 8199
    colour: str = "green"


def test_a_local_process_needs_nothing_set() -> None:
    """The defaults are the local stack's."""
    settings = Sample()
    assert (settings.environment, settings.instance, settings.port) == ("local", "sample-0", 8199)
    assert settings.kafka == "127.0.0.1:19092"
    assert settings.driver == "motor"


def test_the_environment_overrides_by_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """TURNABOUT_ and the field's name; other variables are not ours."""
    monkeypatch.setenv("TURNABOUT_PORT", "9000")
    monkeypatch.setenv("TURNABOUT_COLOUR", "blue")
    monkeypatch.setenv("KAFKA", "elsewhere:9092")
    monkeypatch.setenv("TURNABOUT_OF_ANOTHER_SERVICE", "1")
    settings = Sample()
    assert (settings.port, settings.colour, settings.kafka) == (9000, "blue", "127.0.0.1:19092")


def test_a_service_asks_itself_for_its_metrics_unless_its_processes_are_listed() -> None:
    """By its own address, or by those that are given, however they are written."""
    assert Sample().process_addresses == ("http://127.0.0.1:8199",)
    listed = Sample(processes="http://one:8102/, http://two:8103 ,")
    assert listed.process_addresses == ("http://one:8102", "http://two:8103")


def test_settings_do_not_change_while_a_process_runs() -> None:
    """What was read at the start is true until the end."""
    with pytest.raises(ValidationError):
        Sample().__setattr__("port", 1)


def test_secrets_do_not_show() -> None:
    """Printing settings, as a crash report does, tells neither the secret nor a password."""
    settings = Sample(
        service_secret=SecretStr("do-not-tell"),
        mongo="mongodb://me:do-not-tell@db/",
        kafka_user="sample",
        kafka_password=SecretStr("do-not-tell"),
    )
    assert "do-not-tell" not in repr(settings)
    assert "do-not-tell" not in str(settings)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"environment": "production"}, "TURNABOUT_SERVICE_SECRET"),
        (
            {"environment": "production", "service_secret": SecretStr("x"), "clock_file": Path("/x")},
            "TURNABOUT_CLOCK_FILE",
        ),
        ({"kafka_user": "matching"}, "TURNABOUT_KAFKA_PASSWORD"),
        ({"kafka_password": SecretStr("x")}, "TURNABOUT_KAFKA_USER"),
        ({"kafka_mechanism": "GSSAPI"}, "kafka_mechanism"),
        ({"driver": "mysql"}, "driver"),
        ({"port": 70000}, "port"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds"),
    ],
)
def test_what_would_be_dangerous_is_refused_at_the_start(changes: dict[str, object], says: str) -> None:
    """A local secret or a shifted clock never reaches a deployment; the message names the variable."""
    with pytest.raises(ValidationError, match=says):
        Settings.model_validate(changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"security_protocol": "PLAINTEXT", "ssl_context": None}),
        (
            {"kafka_user": "matching", "kafka_password": SecretStr("x")},
            {
                "security_protocol": "SASL_PLAINTEXT",
                "ssl_context": None,
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": "matching",
                "sasl_plain_password": "x",
            },
        ),
    ],
)
def test_a_client_connects_as_its_principal_or_as_nobody(
    changes: dict[str, object], expected: dict[str, object]
) -> None:
    """Without a user the broker is one without access control."""
    settings = Settings.model_validate({"kafka": "a:1,b:2", **changes})
    assert client_options(settings) == {"bootstrap_servers": ["a:1", "b:2"], **expected}


def test_a_client_may_speak_through_tls() -> None:
    """With or without a principal; certificates are checked."""
    for who, protocol in (({}, "SSL"), ({"kafka_user": "u", "kafka_password": SecretStr("x")}, "SASL_SSL")):
        options = client_options(Settings.model_validate({"kafka_tls": True, **who}))
        assert (options["security_protocol"], options["ssl_context"].verify_mode) == (protocol, ssl.CERT_REQUIRED)


def test_a_deployment_with_its_own_secret_starts() -> None:
    """Nothing else has to be set."""
    assert Settings(environment="production", service_secret=SecretStr("ours")).environment == "production"
