"""What people order of single jobs beyond the moves of the table of states."""

import time

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House
from faceswapd.control.operation import NUMBER, Operation
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.handlers import record_of
from faceswapd.control.wire.messages import Done
from faceswapd.control.wire.request_messages import Prioritise
from faceswapd.core.job import ENDED, State
from faceswapd.ledger import outcomes

HIGHEST = 100


async def _prioritise(house: House, request: Request) -> Done:
    number, priority = requests.number(request), (await requests.said(request, Prioritise)).priority
    if not -HIGHEST <= priority <= HIGHEST:
        raise Refused(400, f"A priority is a whole number from -{HIGHEST} to {HIGHEST}.")
    await record_of(house.ledger, number)
    state = await outcomes.prioritise(house.ledger, number, priority, time.time())
    if state is None or state in ENDED:
        raise Refused(409, f"Job {number} has ended already: it is {state or 'gone'}.")
    if state is State.RUNNING:
        return Done(f"Job {number} runs already: the priority {priority} counts if it is tried again.")
    return Done(f"Job {number} has the priority {priority}.")


OPERATIONS = (
    Operation(
        "POST", "/api/jobs/{number}/priority", _prioritise, "Let a job go before others, or after them.", Done,
        Prioritise, parameters=(NUMBER,), refusals=(404, 409),
    ),
)  # fmt: skip
