"""The whole stack with its demo company, and a real browser."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from local import browser as chromium_browser
from local import setup
from local.ports import free_range
from local.serving import fill
from local.stack import Stack
from playwright.async_api import Browser, async_playwright


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Every process that `make run` starts, on free ports, with 400 imported people and their proposals."""
    setup.prepare()
    with tempfile.TemporaryDirectory(prefix="turnabout-stack-") as folder:
        running = Stack(Path(folder), free_range())
        try:
            await running.start()
            await fill(running, None)
            yield running
        finally:
            await running.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=chromium_browser.find(), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield chromium
        await chromium.close()
