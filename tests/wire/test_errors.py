from __future__ import annotations

import http.client
import importlib
import inspect
import pkgutil
import re
import socket
import ssl
from collections.abc import Iterator

import dns
import dns.exception
import msgspec
import pytest
import requests.exceptions
import urllib3.exceptions

from probe.model import AnswerSeen, Failure
from probe.wire import errors
from probe.wire.errors import Phase, WireError, failure_of, wire_error


def exceptions_of(module: object) -> Iterator[type[BaseException]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Exception) and not kind.__name__.startswith("_"):
            yield kind


def library_exceptions() -> Iterator[type[BaseException]]:
    """Every exception class of the libraries that the wire uses."""
    for module in (requests.exceptions, urllib3.exceptions, ssl, socket, http.client, msgspec):
        yield from exceptions_of(module)
    for submodule in pkgutil.iter_modules(dns.__path__, "dns."):
        if submodule.name in (
            "dns.exception",
            "dns.message",
            "dns.name",
            "dns.rdata",
            "dns.rcode",
            "dns.wire",
            "dns.edns",
            "dns.query",
        ):
            yield from exceptions_of(importlib.import_module(submodule.name))


# Python's exceptions for mistakes in a program. Raised in a library, they are a bug of ours.
MISTAKES = {KeyError, TypeError, AttributeError, NotImplementedError, ImportError, UserWarning}
LIBRARY_EXCEPTIONS = sorted(
    {kind for kind in library_exceptions() if kind not in MISTAKES},
    key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
)


@pytest.mark.parametrize("kind", LIBRARY_EXCEPTIONS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_no_library_exception_is_classified_as_a_bug(kind: type[BaseException]) -> None:
    for phase in Phase:
        assert failure_of(kind.__new__(kind), phase=phase) is not Failure.BUG


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_is_in_the_tree_of_the_docstring(failure: Failure) -> None:
    assert re.search(rf"── .*\b{failure.name}\b", errors.__doc__ or "")


def test_many_library_exceptions_are_covered() -> None:
    assert len(LIBRARY_EXCEPTIONS) > 80


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError(), AssertionError(), AttributeError("x"), ZeroDivisionError()]
)
def test_mistakes_of_ours_are_bugs(error: Exception) -> None:
    assert failure_of(error, phase=Phase.HTTP) is Failure.BUG


@pytest.mark.parametrize(
    ("error", "phase", "expected"),
    [
        (TimeoutError(), Phase.CONNECT, Failure.TIMEOUT),
        (TimeoutError(), Phase.TLS, Failure.TLS_STALL),
        (TimeoutError(), Phase.BODY, Failure.STALLED),
        (TimeoutError(), Phase.NAME, Failure.NO_ANSWER),
        (ConnectionResetError(), Phase.CONNECT, Failure.RESET),
        (ConnectionResetError(), Phase.TLS, Failure.TLS_RESET),
        (BrokenPipeError(), Phase.HTTP, Failure.RESET),
        (ConnectionRefusedError(), Phase.CONNECT, Failure.REFUSED),
        (ssl.SSLEOFError(), Phase.TLS, Failure.TLS_RESET),
        (ssl.SSLZeroReturnError(), Phase.TLS, Failure.TLS_RESET),
        (http.client.RemoteDisconnected("gone"), Phase.HTTP, Failure.RESET),
        (http.client.IncompleteRead(b""), Phase.BODY, Failure.TRUNCATED),
        (http.client.BadStatusLine("x"), Phase.HTTP, Failure.MALFORMED),
        (http.client.LineTooLong("header"), Phase.HTTP, Failure.MALFORMED),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", ConnectionResetError(104, "reset"))),
            Phase.HTTP,
            Failure.RESET,
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", http.client.BadStatusLine("x"))),
            Phase.HTTP,
            Failure.MALFORMED,
        ),
        (requests.exceptions.InvalidHeader("x"), Phase.HTTP, Failure.MALFORMED),
        (msgspec.DecodeError("x"), Phase.BODY, Failure.MALFORMED),
        (dns.exception.DNSException.__new__(dns.exception.FormError), Phase.NAME, Failure.MALFORMED),
    ],
)
def test_the_innermost_error_decides(error: Exception, phase: Phase, expected: Failure) -> None:
    assert failure_of(error, phase=phase) is expected


def test_a_wire_error_inside_another_is_returned_unchanged() -> None:
    ours = WireError(Failure.DEADLINE, "x")
    assert wire_error(requests.ConnectionError(ours), phase=Phase.HTTP) is ours
    assert failure_of(requests.ConnectionError(ours), phase=Phase.HTTP) is Failure.DEADLINE


def test_an_error_that_is_its_own_cause() -> None:
    error = OSError("x")
    error.__cause__ = error
    assert failure_of(error, phase=Phase.HTTP) is Failure.UNREACHABLE


def test_a_wire_error_has_a_failure_a_detail_and_facts() -> None:
    seen = AnswerSeen(status=403)
    error = WireError(Failure.DENIED, "no\nway", seen=seen)
    assert (error.failure, error.detail, error.seen, error.lookup) == (Failure.DENIED, "no way", seen, None)
    assert str(error) == "denied: no way"
    assert WireError(Failure.DENIED, "\x00").detail is None
