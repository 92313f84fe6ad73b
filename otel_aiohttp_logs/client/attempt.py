"""
One attempt to send a request: its span, and its duration.

It has ended when the headers of its answer are there, or when it failed: whether the
body is read is up to the application, and may never happen.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span-duration
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeGuard

from aiohttp import ClientResponseError
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from otel_aiohttp_logs.client.attributes import (
    call_attributes,
    call_name,
    without_secrets,
)
from otel_aiohttp_logs.client.durations import NAMES
from otel_aiohttp_logs.record.exceptions import error_text

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from opentelemetry.metrics import Histogram
    from opentelemetry.trace import Tracer
    from yarl import URL


class Attempt:
    __slots__ = ("_attributes", "_begun", "_end_time", "_ended", "_histogram", "span")

    def __init__(
        self,
        method: str,
        url: URL,
        *,
        resend_count: int,
        tracer: Tracer,
        histogram: Histogram | None,
    ) -> None:
        attributes = call_attributes(method, url)
        if resend_count:
            attributes[HTTP_REQUEST_RESEND_COUNT] = resend_count
        self.span = tracer.start_span(
            call_name(method), kind=SpanKind.CLIENT, attributes=attributes
        )
        self._histogram = histogram
        self._attributes = {**attributes, URL_SCHEME: url.scheme} if histogram else {}
        self._begun = time.perf_counter()
        self._end_time: int | None = None
        self._ended = 0.0

    def answered(self, response: ClientResponse) -> None:
        """Note the answer: the attempt is over, though ``end`` may be called later."""
        self._note_end()
        version = response.version
        if version is not None:
            self._set(NETWORK_PROTOCOL_VERSION, f"{version.major}.{version.minor}")
        self._status(response.status)

    def failed(self, error: BaseException) -> None:
        """Note why there's no answer, or none that the application gets."""
        self._note_end()
        if _is_raised_status(error):
            self._status(error.status)
            return
        self._set(ERROR_TYPE, type(error).__qualname__)
        self.span.set_status(StatusCode.ERROR, without_secrets(error_text(error)))

    def end(self) -> None:
        self.span.end(self._end_time)
        if self._histogram is not None:
            self._histogram.record(
                self._ended - self._begun,
                {n: self._attributes[n] for n in NAMES if n in self._attributes},
                context=set_span_in_context(self.span),
            )

    def lost(self) -> None:
        """End it, though nobody said how it ended."""
        if self._end_time is None:
            self._note_end()
            self._set(ERROR_TYPE, "_OTHER")
            self.span.set_status(StatusCode.ERROR, "aiohttp did not say how it ended")
        self.end()

    def _note_end(self) -> None:
        self._end_time = time.time_ns()
        self._ended = time.perf_counter()

    def _status(self, status: int) -> None:
        self._set(HTTP_RESPONSE_STATUS_CODE, status)
        # Unlike for a server, 4xx is an error for who asked.
        if status >= 400:
            self._set(ERROR_TYPE, str(status))
            self.span.set_status(StatusCode.ERROR)

    def _set(self, name: str, value: str | int) -> None:
        self.span.set_attribute(name, value)
        if self._histogram is not None:
            self._attributes[name] = value


def _is_raised_status(error: BaseException) -> TypeGuard[ClientResponseError]:
    """Tell whether ``raise_for_status`` made *error*: the parser's has a cause."""
    return (
        isinstance(error, ClientResponseError)
        and error.__cause__ is None
        and error.status >= 400
    )
