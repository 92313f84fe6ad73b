"""
Where aiohttp lets us in: an outermost middleware and a response signal.

The signal also sees what no middleware does, such as the 417 of a wrong ``Expect``
header: then the request begins there. Whatever fails in here, the request is served
as without us; the first failure is logged, each is counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from otel_aiohttp_logs.request.begin import KEY, begin, served_request
from otel_aiohttp_logs.request.rejected import reject
from otel_aiohttp_logs.request.serve import ServedRequest
from otel_aiohttp_logs.request.twins import compiled_begin, know_begin, responding

if TYPE_CHECKING:
    from otel_aiohttp_logs.request.instruments import Instruments
    from otel_aiohttp_logs.request.rejected import RejectedRequest
    from otel_aiohttp_logs.request.tally import Tally
    from otel_aiohttp_logs.request.twins import Begin

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Serving:
    """The two hooks of one application."""

    def __init__(
        self, instruments: Callable[[], Instruments | None], tally: Tally
    ) -> None:
        self._instruments = instruments
        self._tally = tally
        self._known: Instruments | None = None
        self._begin: Begin = self._begun
        self.on_response_prepare = responding(self._responding)

        @web.middleware
        async def telemetry(
            request: web.Request, handler: Handler
        ) -> web.StreamResponse:
            served = self._begin(request)
            if served is None:
                return await handler(request)
            try:
                return await handler(request)
            except web.HTTPException:
                raise
            except BaseException as error:
                self._failed(served, error)
                raise

        self.middleware = telemetry

    async def _responding(
        self, request: web.Request, response: web.StreamResponse
    ) -> None:
        served = served_request(request) or self._begin(request)
        if served is not None:
            try:
                served.responding(response)
                # Each response comes by here: a comparison costs less than isinstance.
                if response.status == 101:
                    self._upgraded(served, response)
            except Exception:  # noqa: BLE001 (counted and logged)
                self._tally.failed()

    def reject(self, request: web.BaseRequest, error: object) -> RejectedRequest | None:
        """Begin what aiohttp answers with 400 by itself; called by a hook."""
        try:
            instruments = self._instruments()
            return None if instruments is None else reject(request, error, instruments)
        except Exception:  # noqa: BLE001 (counted and logged)
            self._tally.failed()
            return None

    def _upgraded(self, served: ServedRequest, response: web.StreamResponse) -> None:
        instruments = self._instruments()
        if instruments is not None and isinstance(response, web.WebSocketResponse):
            served.number_messages(response, instruments, self._tally.failed)

    def _begun(self, request: web.Request) -> ServedRequest | None:
        try:
            instruments = self._instruments()
            if instruments is None:
                return None
            served = begin(request, instruments)
            self._compile(instruments)
        except Exception:  # noqa: BLE001 (counted and logged)
            self._tally.failed()
            return None
        return served

    def _compile(self, instruments: Instruments) -> None:
        """Have later requests begin in the compiled way, if there's one."""
        if self._known is not instruments:
            self._known = instruments
            quick = compiled_begin(instruments, ServedRequest, KEY, self._begun)
            know_begin(self.on_response_prepare, quick)
            self._begin = quick or self._begun

    def stop(self) -> None:
        """Forget what the requests were served with."""
        self._known, self._begin = None, self._begun
        know_begin(self.on_response_prepare, None)

    def _failed(self, served: ServedRequest, error: BaseException) -> None:
        try:
            served.failed(error)
        except Exception:  # noqa: BLE001 (counted and logged)
            self._tally.failed()
