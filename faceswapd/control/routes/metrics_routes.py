"""GET /metrics, for Prometheus."""

import asyncio
import sys
from importlib import import_module
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.control.live import House
from faceswapd.control.metrics import exposed, figures_of
from faceswapd.control.operation import Operation

_LIBRARY: Final = "prometheus_client"  # takes a tenth of a second to load
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def _metrics(house: House, request: Request) -> Response:
    figures = await figures_of(house)
    if _LIBRARY not in sys.modules:
        await asyncio.to_thread(import_module, _LIBRARY)
    body, media_type = exposed(figures, request.headers.get("accept", ""))
    return Response(body, headers={**_HEADERS, "Content-Type": media_type})


OPERATIONS = (
    Operation("GET", "/metrics", _metrics, "The figures of docs/metrics.md, as Prometheus reads them.", "text/plain"),
)
