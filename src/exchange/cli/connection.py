"""The light way to ask a component over HTTP: the standard library only, so that a command starts fast."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from exchange import __version__
from exchange.cli.failures import RefusedError, UnreachableError, UsageError

ANSWER_S = 30
LONG_ANSWER_S = 1_800
"""How long work on a whole day is waited for, such as closing it."""
NOTE_EVERY_S = 10
ANSWER_BYTES_MAX = 64 << 20
ITEMS_MAX = 100_000
"""Items of a list that are gathered over all its pages; a longer one is cut, and says so."""


class Connection:
    """One component behind its address. key: may be empty where a request needs none."""

    def __init__(self, url: str, key: str = "", component: str = "component") -> None:
        self.url = url.rstrip("/")
        self.key = key
        self.component = component
        self._headers = {"Accept": "application/json", "User-Agent": f"exchange-cli/{__version__}"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        parts = urlsplit(self.url)
        try:
            valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise UsageError(f"address must be such as http://127.0.0.1:8001, got {url!r}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._http = kind(parts.hostname or "", parts.port, timeout=ANSWER_S)
        self._prefix = parts.path

    def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        return self.ask("GET", path, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Make something."""
        return self.ask("POST", path, query, body)

    def patch(self, path: str, body: Any) -> Any:
        """Change something."""
        return self.ask("PATCH", path, {}, body)

    def delete(self, path: str, **query: Any) -> Any:
        """Cancel something."""
        return self.ask("DELETE", path, query)

    def fetch(self, path: str, **query: Any) -> bytes:
        """Read something that is no JSON, as it is."""
        return self._send("GET", path, query, None)

    def items(self, path: str, limit: int = ITEMS_MAX, **query: Any) -> list[Any]:
        """Read a list over all its pages, up to `limit` items."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self.ask("GET", path, {**query, "limit": min(limit - len(found), 1_000), "cursor": cursor})
            found += page["items"]
            cursor = page.get("next") or ""
            if not cursor or len(found) >= limit:
                return found[:limit]

    def ask(self, method: str, path: str, query: dict[str, Any], body: Any = None) -> Any:
        """Send one request and return the answer's JSON.

        Raise `RefusedError` with the fields of the one error form, or `UnreachableError`.
        """
        text = self._send(method, path, query, body)
        return json.loads(text) if text else None

    @contextmanager
    def patiently(self, doing: str, look: str) -> Iterator[None]:
        """Wait long for what is asked meanwhile, saying now and then on standard error that it goes on.

        doing: what is done, such as `closing 2026-11-23`; look: the command that shows whether it was, for when no
        answer comes.
        """
        done = threading.Event()
        note = threading.Thread(
            target=_say_it_goes_on, args=(done, f"{self.component}: {doing}"), daemon=True
        )
        self._http.close()
        self._http.timeout = LONG_ANSWER_S
        note.start()
        try:
            yield
        except UnreachableError as error:
            if isinstance(error.__cause__, ConnectionRefusedError | socket.gaierror):
                raise
            raise UnreachableError(
                f"{error}. {doing} may have been done or not: `{look}` shows it", url=self.url
            ) from error
        finally:
            done.set()
            note.join()
            self._http.close()
            self._http.timeout = ANSWER_S

    def _send(self, method: str, path: str, query: dict[str, Any], body: Any) -> bytes:
        given = {name: value for name, value in query.items() if value not in ("", None)}
        target = self._prefix + path + (f"?{urlencode(given)}" if given else "")
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers if content is None else {**self._headers, "Content-Type": "application/json"}
        try:
            self._http.request(method, target, content, headers)
            answer = self._http.getresponse()
            text = answer.read(ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise self._unreachable(error) from error
        if 200 <= answer.status < 300:
            return text
        raise self._refusal(answer.status, text)

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, ConnectionRefusedError):
            what = "nothing listens there; start it with `exchange up`, or give --url or --port-base"
        elif isinstance(error, TimeoutError):
            what = f"no answer within {self._http.timeout:g} s; `exchange doctor` looks at what is wrong"
        elif isinstance(error, socket.gaierror):
            what = f"this host is unknown ({error.strerror}); check the address"
        else:
            what = f"{str(error) or type(error).__name__}; is this an exchange?"
        return UnreachableError(f"cannot reach the {self.component} at {self.url}: {what}", url=self.url)

    def _refusal(self, status: int, text: bytes) -> RefusedError:
        try:
            form = json.loads(text)
        except ValueError:
            form = None
        if not isinstance(form, dict) or "message" not in form:
            shown = text[:200].decode(errors="replace")
            return RefusedError(
                f"the {self.component} at {self.url} answered {status}: {shown}", status=status
            )
        message = form.pop("message").rstrip(".") + _HINTS.get(form.get("reason", ""), "")
        return RefusedError(message, status=status, **form)


_HINTS = {
    "key_missing": "; give --key, set EXCHANGE_KEY, or name the data folder that has keys.json with --data",
    "key_unknown": "; is it a key of this exchange? `exchange up` shows them at every start",
    "role_not_allowed": "; operators' commands take --as operator, clearing's --as clearing",
}


def in_path(text: str) -> str:
    """Write a text as one part of a path."""
    return quote(text, safe="")


def _say_it_goes_on(done: threading.Event, what: str) -> None:
    since = time.monotonic()
    while not done.wait(NOTE_EVERY_S):
        print(f"{what}: still at work after {time.monotonic() - since:.0f} s", file=sys.stderr, flush=True)
