"""The operator's pages: every service shows how its own processes keep their promises, out of their metrics.

    app.include_router(operations.router("matching", settings))

One service has the overview beside it, whose parts the others fill:

    app.include_router(operations.overview())

A page asks the processes of its own service for what Prometheus scrapes as well, and judges it in
`chassis.web.operations_report`. No service needs another one for it.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

import httpx
from contracts.access import Access
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from chassis import clock
from chassis.trust import trusted
from chassis.web import operations_report, operations_words
from chassis.web.identity import Caller, SignedIn
from chassis.web.operations_report import Judgement, Promise, Report
from chassis.web.operations_words import KINDS, WORDS
from chassis.web.pages import Pages
from chassis.web.policy import Grant, Policy, Resource

READ: Final = "operations.read"
POLICY: Final = Policy({READ: Grant(roles={"operator"})})
REFRESH_SECONDS: Final = 10
_RUNBOOK: Final = "delivery.md"
_TIMEOUT: Final = httpx.Timeout(3.0, connect=1.0)
_pages: Final = Pages("chassis.web")


class OperationsSettings(Protocol):
    """The settings that the pages need."""

    @property
    def process_addresses(self) -> tuple[str, ...]:
        """Where each process of the service answers."""

    @property
    def runbooks_url(self) -> str | None:
        """The folder with the runbooks, if operators can read it."""


class ProcessStanding(BaseModel):
    """One process of the service."""

    instance: str
    judgement: Literal["good", "attention", "bad"]
    answers: bool
    version: str
    started: datetime | None
    waiting_for: list[str] = Field(description="What keeps it from being ready: database, broker, topics, access.")
    answered: dict[str, float] = Field(description="Seconds since the database and the broker answered it last.")


class FigureStanding(BaseModel):
    """One figure of a promise."""

    subject: str = Field(description="What it is about: a consumer group, a collection, a timer, a kind of work.")
    why: str | None
    count: int | None
    seconds: float | None
    judgement: Literal["good", "attention", "bad"]


class PromiseStanding(BaseModel):
    """One promise, with what shows whether it is kept."""

    promise: Promise
    judgement: Literal["good", "attention", "bad"]
    command: str | None = Field(description="What shows more, if anything does.")
    figures: list[FigureStanding]


class ServiceStanding(BaseModel):
    """How a service stands, as its page shows it."""

    service: str
    judgement: Literal["good", "attention", "bad"]
    processes: list[ProcessStanding]
    promises: list[PromiseStanding]


class Look:
    """Asks the processes of one service for their metrics."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, verify=trusted())

    async def report(self) -> Report:
        """What they say, judged; whoever does not answer is part of it."""
        said = await asyncio.gather(*(self._metrics(address) for address in self._addresses))
        return operations_report.report(dict(zip(self._addresses, said, strict=True)), clock.real_ms() / 1000)

    async def _metrics(self, address: str) -> str | None:
        try:
            answer = await self._client.get(f"{address}/metrics")
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return answer.text


def router(service: str, settings: OperationsSettings) -> APIRouter:
    """The page of one service, the parts that fill and refresh themselves, and the same as JSON."""
    routes, look, here = APIRouter(), Look(settings.process_addresses), f"/operations/{service}"

    async def shown(caller: Caller) -> dict[str, Any]:
        _let_in(caller)
        return {
            "caller": caller,
            "service": service,
            "here": here,
            "report": await look.report(),
            "runbook": f"{settings.runbooks_url.rstrip('/')}/{_RUNBOOK}" if settings.runbooks_url else None,
            **_WORDS_OF_PAGES,
        }

    @routes.get(here, include_in_schema=False)
    async def page(request: Request, caller: SignedIn, refresh: Literal["on", "off"] = "on") -> HTMLResponse:
        """Everything about the service."""
        return _pages.render(request, "operations_service.html", refresh=refresh == "on", **await shown(caller))

    @routes.get(f"{here}/figures", include_in_schema=False)
    async def figures(request: Request, caller: SignedIn) -> HTMLResponse:
        """What changes on it."""
        return _pages.fragment(request, "operations_figures.html", **await shown(caller))

    @routes.get(f"{here}/summary", include_in_schema=False)
    async def summary(request: Request, caller: SignedIn) -> HTMLResponse:
        """Its place in the overview."""
        return _pages.fragment(request, "operations_summary.html", **await shown(caller))

    @routes.get(f"/api/{service}/v1/operations")
    async def standing(caller: SignedIn) -> ServiceStanding:
        """How the service keeps its promises, as its page for operators shows it."""
        _let_in(caller)
        return _as_model(service, await look.report())

    return routes


def overview() -> APIRouter:
    """All services at a glance: links to their pages, which tell by themselves how each stands."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/operations")
    async def page(request: Request, caller: SignedIn, refresh: Literal["on", "off"] = "on") -> HTMLResponse:
        """The overview."""
        _let_in(caller)
        return _pages.render(
            request,
            "operations.html",
            caller=caller,
            here="/operations",
            services=Access().services,
            refresh=refresh == "on",
            seconds=REFRESH_SECONDS,
        )

    return routes


def _let_in(caller: Caller) -> None:
    """Raises ForbiddenError for everybody who is no operator."""
    POLICY.require(caller, READ, Resource(tenant=caller.tenant))


_WORDS_OF_PAGES: Final[Mapping[str, Any]] = {
    "words": WORDS,
    "kinds": KINDS,
    "columns": operations_words.columns,
    "cells": operations_words.cells,
    "judged": operations_words.judged,
    "lasted": operations_words.lasted,
    "state": operations_words.state,
    "headline": operations_words.headline,
    "worries": operations_words.worries,
    "moment_of": lambda seconds: datetime.fromtimestamp(seconds, UTC),
    "seconds": REFRESH_SECONDS,
}


def _as_model(service: str, report: Report) -> ServiceStanding:
    return ServiceStanding(
        service=service,
        judgement=_word(report.judgement),
        processes=[
            ProcessStanding(
                instance=process.instance,
                judgement=_word(process.judgement),
                answers=process.answers,
                version=process.version,
                started=datetime.fromtimestamp(process.started, UTC) if process.answers else None,
                waiting_for=list(process.waiting_for),
                answered=dict(process.answered),
            )
            for process in report.processes
        ],
        promises=[
            PromiseStanding(
                promise=promise,
                judgement=_word(report.of(promise)),
                command=f"{command} --service {service}" if (command := WORDS[promise].command) else None,
                figures=[
                    FigureStanding(
                        subject=figure.subject,
                        why=figure.why or None,
                        count=figure.count,
                        seconds=figure.seconds,
                        judgement=_word(figure.judgement),
                    )
                    for figure in figures
                ],
            )
            for promise, figures in report.promises.items()
        ],
    )


def _word(judgement: Judgement) -> Literal["good", "attention", "bad"]:
    match judgement:
        case Judgement.GOOD:
            return "good"
        case Judgement.ATTENTION:
            return "attention"
        case Judgement.BAD:
            return "bad"
