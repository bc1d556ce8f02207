"""Whom one can sign in as when the roster is one's own, and which ports the stack takes."""

import json
import socket
from pathlib import Path

import pytest
from local.people import DEMO, Someone, of_roster, programme_for, remember, remembered
from local.ports import Ports, free_range, listening
from local.processes import StackError

ROSTER = """\
employee_id,email,name,level,offers,seeks,enrolled,roles
1,TOP@acme.example,Top,12,,ai-tools,yes,
2,ops@acme.example,Ops,7,,,no,operator;analyst
3,young@acme.example,Young,2,ai-tools,,yes,
4,younger@acme.example,Younger,1,ai-tools,,no,
5,youngest@acme.example,Youngest,1,,cloud,yes,
6,not an address,Nobody,1,ai-tools,,yes,
7,odd@acme.example,Odd,high,,,yes,
"""


def a_roster(folder: Path, text: str = ROSTER) -> Path:
    """A roster's file, as a spreadsheet writes it: with a mark in front."""
    file = folder / "people.csv"
    file.write_text(text, encoding="utf-8-sig")
    return file


def test_people_of_a_roster_are_picked_by_what_they_can_show(tmp_path: Path) -> None:
    """The most junior who takes part and offers, the most senior who seeks, an operator as lead, an analyst."""
    picked = {person.role: person.email for person in of_roster(a_roster(tmp_path))}

    assert picked == {
        "a junior who has something to offer": "young@acme.example",
        "a director who wants to learn": "top@acme.example",
        "lead of the demo programme": "ops@acme.example",
        "analyst: insights": "ops@acme.example",
        "operator: roster import, operations": "ops@acme.example",
    }


def test_a_roster_without_roles_is_led_from_the_top(tmp_path: Path) -> None:
    """There is always a lead; nobody is made an analyst or operator."""
    roster = a_roster(tmp_path, ROSTER.replace("operator;analyst", ""))

    picked = {person.role: person.email for person in of_roster(roster)}

    assert picked["lead of the demo programme"] == "top@acme.example"
    assert len(picked) == 3


def test_an_empty_roster_offers_nobody(tmp_path: Path) -> None:
    """The import says what is wrong with it; picking people does not fail before."""
    assert of_roster(a_roster(tmp_path, "")) == []


def test_the_programme_is_led_by_somebody_of_the_roster(tmp_path: Path) -> None:
    """The demo programme's file changes in its leads only; the demo company uses it as it is."""
    theirs = programme_for([Someone("ops@acme.example", DEMO[2].role)], tmp_path)
    ours = programme_for(list(DEMO), tmp_path)

    assert theirs.parent == tmp_path
    assert json.loads(theirs.read_text())["leads"] == ["ops@acme.example"]
    assert json.loads(ours.read_text())["leads"] == ["lead@demo.example"]
    assert json.loads(theirs.read_text())["rules"] == json.loads(ours.read_text())["rules"]


def test_later_starts_remember_the_people(tmp_path: Path) -> None:
    """The demo people, until a roster was given."""
    assert remembered(tmp_path) == list(DEMO)

    remember([Someone("ops@acme.example", "x")], tmp_path)

    assert remembered(tmp_path) == [Someone("ops@acme.example", "x")]


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    """The sentence names the port, and a range to take instead."""
    ports = free_range()
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports.analytics))
        other.listen()

        with pytest.raises(StackError) as told:
            ports.refuse_if_taken()

    assert str(told.value).startswith(f"Port {ports.analytics} is in use.")
    assert f"make run PORT={ports.gateway + 1000}" in str(told.value)


def test_all_ports_differ_and_follow_the_gateways() -> None:
    """Twelve in a row, so that one number moves the whole stack."""
    ports = Ports(20_000)
    names = [name for name in vars(Ports) if isinstance(getattr(Ports, name), property)] + ["gateway"]

    assert sorted({getattr(ports, name) for name in names}) == list(range(20_000, 20_012))


def test_nobody_listens_on_a_port_that_only_a_probe_could_reach() -> None:
    """Where nobody listens the answer is no, however often one asks."""
    port = free_range().kafka

    assert not any(listening(port) for _ in range(50))


def test_two_ranges_never_overlap() -> None:
    """Two stacks of one test run can be started at once."""
    first, second = free_range(), free_range()

    assert abs(first.gateway - second.gateway) >= 12
