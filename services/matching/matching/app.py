"""The composition root: matching's two roles."""

from functools import cache

from chassis.app import Service
from chassis.state.timers import Timer
from chassis.web import operations
from chassis.web.http import make_api
from fastapi import FastAPI

from chassis import clock
from matching import api, pages
from matching.commands import Commands
from matching.domain.mentorship import UNANSWERED, Mentorship
from matching.handlers import handlers, works
from matching.invitations import api as invitation_api
from matching.invitations.commands import Invitations
from matching.labels import Labels
from matching.programmes import api as programme_api
from matching.programmes import run_api
from matching.programmes.commands import ProgrammeCommands
from matching.programmes.reach import Crowd
from matching.proposing.proposer import Proposer
from matching.proposing.runs import Runner
from matching.requests import api as request_api
from matching.requests.commands import Requests
from matching.requests.discovery import Discovery
from matching.sessions import api as session_api
from matching.sessions import delegate_api
from matching.sessions.delegates import Delegates
from matching.settings import EngineSettings, MatchingSettings
from matching.store import Store


def compose_api(settings: MatchingSettings) -> Service[Store]:
    """The role that answers people: pages, API, handlers, expiry."""

    @cache
    def labels() -> Labels:
        return Labels(settings)

    return Service(
        settings,
        "matching",
        store_factory=Store,
        app_factory=lambda store: make_app(settings, store, labels()),
        handlers=handlers,
        works=works,
        timers=lambda store: [Timer(store.mentorships, expire)],
        readers=lambda _: [labels().reader(settings)],
    )


def compose_engine(settings: EngineSettings) -> Service[Store]:
    """The role that proposes. It does pending work too: it may adopt what a crashed API left."""
    proposer = Proposer(settings)
    return Service(
        settings,
        "matching",
        store_factory=Store,
        works=works,
        readers=lambda _: [proposer.reader()],
        background=lambda store: [lambda: proposer.run(store), Runner(proposer, store).run],
    )


def make_app(settings: MatchingSettings, store: Store, labels: Labels | None = None) -> FastAPI:
    """The HTTP application over a store.

    Args:
        settings: as read from the environment.
        store: the service's database.
        labels: those that somebody else keeps fresh.
    """
    app = make_api("matching", settings=settings)
    commands, labels, crowd = Commands(store), labels or Labels(settings), Crowd(store)
    discovery, programmes = Discovery(store, crowd), ProgrammeCommands(settings, commands)
    requests, delegates = Requests(commands, discovery), Delegates(settings, commands)
    invitations = Invitations(commands, crowd)
    app.include_router(api.router(commands))
    app.include_router(request_api.router(commands, discovery, requests, labels))
    app.include_router(programme_api.router(programmes, commands, crowd, labels))
    app.include_router(run_api.router(commands))
    app.include_router(invitation_api.router(commands, invitations))
    app.include_router(session_api.router(commands, labels, settings.public_url))
    app.include_router(delegate_api.router(delegates))
    app.include_router(
        pages.router(
            settings,
            commands,
            labels,
            crowd=crowd,
            discovery=discovery,
            delegates=delegates,
            invitations=invitations,
        )
    )
    app.include_router(operations.router("matching", settings))
    return app


def expire(mentorship: Mentorship) -> None:
    """What the clock does to a pair whose moment has come: an old proposal closes, a session that is near is told."""
    if mentorship.status in UNANSWERED:
        mentorship.expire(clock.timestamp())
    else:
        mentorship.remind(clock.timestamp())
