"""
aiohttp's signals of a call become attempts, headers and an end.

Whatever fails in here, the call is made as without us; the first failure is logged,
each is counted.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar, cast

from otel_aiohttp_logs.client.attempt import Attempt
from otel_aiohttp_logs.client.attributes import redirect_target
from otel_aiohttp_logs.client.beside import TakenOver, first_of_contribs, suppressed
from otel_aiohttp_logs.client.sending_on import take_back

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import SimpleNamespace

    import aiohttp
    from multidict import CIMultiDict
    from opentelemetry.trace import Tracer
    from yarl import URL

    from otel_aiohttp_logs.client.call import Call
    from otel_aiohttp_logs.client.durations import Durations
    from otel_aiohttp_logs.client.sending_on import SendingOn

    P = TypeVar("P")

_log = logging.getLogger("otel_aiohttp_logs")


class Signals:
    """What hears the signals of one ``TraceConfig``."""

    def __init__(
        self,
        config: aiohttp.TraceConfig,
        tracer: Tracer,
        durations: Durations,
        sending_on: SendingOn,
    ) -> None:
        self._config = config
        self._tracer = tracer
        self._durations = durations
        self._sending_on = sending_on
        self.failures = 0

    def connect(self) -> None:
        config = self._config
        config.on_request_start.append(self._safely(self._started))
        config.on_request_redirect.append(self._safely(self._redirected))
        config.on_request_end.append(self._safely(self._ended))
        config.on_request_exception.append(self._safely(self._failed))

    def _started(
        self,
        session: aiohttp.ClientSession,
        call: Call,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        if suppressed():
            return
        configs = session.trace_configs
        contribs = first_of_contribs(configs) if len(configs) > 1 else None
        if contribs is not None and contribs < configs.index(self._config):
            # Its span has begun, and is in the headers: only the request id is left.
            call.added = self._sending_on.put(params.headers, params.url, None)
            return
        if contribs is not None:
            call.taken_over = TakenOver()
        self._begin(call, params.method, params.url, params.headers)

    def _redirected(
        self,
        _: aiohttp.ClientSession,
        call: Call,
        params: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        call.answered(params.response)
        following = redirect_target(params.response, params.url)
        if following is None or call.added is None:
            return
        method, url = following
        take_back(params.headers, call.added)
        if call.redirected():
            self._begin(call, method, url, params.headers)
        else:
            call.added = self._sending_on.put(params.headers, url, None)

    def _begin(
        self, call: Call, method: str, url: URL, headers: CIMultiDict[str]
    ) -> None:
        attempt = Attempt(
            method,
            url,
            resend_count=call.resend_count,
            tracer=self._tracer,
            histogram=self._durations.histogram(),
        )
        call.begin(attempt)
        call.added = self._sending_on.put(headers, url, attempt.span)

    @staticmethod
    def _ended(
        _: aiohttp.ClientSession, call: Call, params: aiohttp.TraceRequestEndParams
    ) -> None:
        call.answered(params.response)
        call.end()

    @staticmethod
    def _failed(
        _: aiohttp.ClientSession,
        call: Call,
        params: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        call.failed(params.exception)
        call.end()

    def _safely(
        self, act: Callable[[aiohttp.ClientSession, Call, P], None]
    ) -> Callable[[aiohttp.ClientSession, SimpleNamespace, P], Awaitable[None]]:
        async def send(
            session: aiohttp.ClientSession, context: SimpleNamespace, params: P
        ) -> None:
            try:
                act(session, cast("Call", context), params)
            except Exception:  # noqa: BLE001 (counted and logged)
                self._count_failure()

        return send

    def _count_failure(self) -> None:
        self.failures += 1
        if self.failures == 1:
            _log.warning("client_telemetry_failed", exc_info=True)
