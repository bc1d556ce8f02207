"""The sealed way out of a mail: it names nobody, nobody else can make one, and it is good for one thing."""

import string
from base64 import urlsafe_b64decode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from notifications.domain.notice import Kind
from notifications.unsubscribe import MAIL_POLICY, Permission, Seal, put_into
from pydantic import SecretStr
from web_edge import EdgeSettings

LETTERS = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_"
MINE = Permission(tenant="acme", member="mia-okafor-1", kind=Kind.MATCH_PROPOSED, round=2)


def a_seal(secret: str = "between services") -> Seal:  # noqa: S107 - a sample
    return Seal(EdgeSettings("http://127.0.0.1:1", service_secret=SecretStr(secret)))


def test_a_token_holds_what_was_sealed_and_shows_none_of_it() -> None:
    """Neither member nor tenant nor kind can be read out of the address."""
    address = a_seal().address(MINE)
    token = address.rpartition("/")[2]
    assert address == f"https://turnabout.example/api/notifications/v1/unsubscribe/{token}"
    assert a_seal().opened(token) == MINE
    decoded = b"".join(_loosely(part) for part in token.split("."))
    assert not any(word in decoded for word in (b"mia", b"acme", b"match-proposed"))
    assert a_seal().token(MINE) != token


def _loosely(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_every_altered_letter_makes_it_worthless() -> None:
    """Each one, in each part, is changed in turn."""
    token = a_seal().token(MINE)
    for place, letter in enumerate(token):
        # The last letter of a part may hold bits that count for nothing; the highest of each letter counts.
        other = "A" if letter == "." else LETTERS[LETTERS.index(letter) ^ 32]
        assert a_seal().opened(token[:place] + other + token[place + 1 :]) is None, place


@pytest.mark.parametrize("token", ["", "x", "....", "é", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "a" * 2000])
def test_what_is_no_token_is_none(token: str) -> None:
    """Whatever comes by the address."""
    assert a_seal().opened(token) is None


def test_another_deployments_token_opens_nothing() -> None:
    """The key follows from the secret, and is for this purpose alone: the secret itself opens nothing."""
    assert a_seal("other services").opened(a_seal().token(MINE)) is None
    secret = OctKey.import_key(b"between services".ljust(32, b"\0"))
    forged = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, MINE.model_dump_json().encode(), secret)
    assert a_seal().opened(forged) is None


def test_a_sealed_thing_of_another_shape_is_none() -> None:
    """A kind of a later release, or more than this one knows of."""
    seal = a_seal()
    later = MINE.model_dump_json().replace("match-proposed", "pigeon-arrived")
    sealed = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, later.encode(), seal._key)
    assert seal.opened(sealed) is None


def test_mail_programs_find_the_address_whole() -> None:
    """The header is one line, since a folded one would be encoded; other headers are folded as ever."""
    message = EmailMessage(policy=MAIL_POLICY)
    message["Subject"] = "Grüße " * 20 + "!"
    put_into(message, a_seal().address(MINE))
    message.set_content("Hello")
    lines = message.as_bytes().split(b"\r\n")
    [address] = [line for line in lines if line.startswith(b"List-Unsubscribe:")]
    assert address.startswith(b"List-Unsubscribe: <https://turnabout.example/api/notifications/v1/unsubscribe/ey")
    assert len(address) <= 998
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert max(len(line) for line in lines if line != address) <= 78
    assert message_from_bytes(message.as_bytes(), policy=default)["Subject"] == "Grüße " * 20 + "!"
