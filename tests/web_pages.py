"""A service with two pages and a command, and a browser without scripts."""

import httpx
from chassis.translation import Catalogues, gettext
from chassis.web.http import make_api
from chassis.web.identity import Caller
from chassis.web.pages import Pages, redirect
from fastapi import FastAPI, Request, Response
from web_edge import PUBLIC_URL, EdgeSettings

MEMBER = Caller("m-1", "demo", frozenset(), "token")
HOSTILE = "<script>alert(1)</script>\" onload='x"


def an_api(catalogues: Catalogues | None = None) -> FastAPI:
    """Two pages and a command."""
    api = make_api("chassis", settings=EdgeSettings("http://127.0.0.1:1"), catalogues=catalogues)
    chassis_pages = Pages("chassis.web")

    @api.get("/proposals")
    async def proposals(request: Request) -> Response:
        return show(request, MEMBER)

    @api.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        return show(request, None)

    @api.get("/broken")
    async def broken() -> Response:
        raise RuntimeError

    @api.post("/proposals")
    async def answer(to: str = "/proposals", text: str = "Saved.") -> Response:
        return redirect(to, notice=text)

    def show(request: Request, caller: Caller | None) -> Response:
        problem = {"title": gettext("Not found"), "status": 404, "detail": HOSTILE, "errors": []}
        return chassis_pages.render(request, "problem.html", caller=caller, problem=problem)

    return api


def client_of(api: FastAPI) -> httpx.AsyncClient:
    """A browser without scripts."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url=PUBLIC_URL, headers={"Origin": PUBLIC_URL, "Accept": "text/html"}
    )
