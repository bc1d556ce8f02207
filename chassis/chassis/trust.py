"""Whose certificates this process trusts when it asks somebody over HTTPS."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Read once: a client that reads the authorities for itself takes as long to make as many pages to draw."""
    return httpx.create_ssl_context()
