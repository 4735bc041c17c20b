"""What the engine of a job says: while it runs from memory, later from there, and what failed from the ledger."""

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House
from faceswapd.control.operation import NUMBER, Operation, Parameter
from faceswapd.control.routes.handlers import record_of
from faceswapd.control.wire.log_messages import JobLog
from faceswapd.ledger import reports


async def _log(house: House, request: Request) -> JobLog:
    after, execution = requests.whole(request, "after", 0), requests.whole(request, "execution", 0)
    return await log_of(house, requests.number(request), after, execution)


async def log_of(house: House, number: int, after: int, execution: int) -> JobLog:
    """What followed so many bytes of an execution (0: whichever it is). Raises Refused."""
    said = house.orders.log_of(number)  # before the state is read, so that an end is not told before the last words
    record = await record_of(house.ledger, number)
    if said is not None:
        after = after if execution in (0, said.execution) else 0
        begins, text = max(said.log.start, min(after, said.log.end)), said.log.after(after)
        return JobLog(record.state, said.execution, said.attempt, said.running, text, begins, said.log.end)
    kept = next((one for one in reversed(await reports.executions(house.ledger, number)) if one.log), None)
    if kept is None:
        return JobLog(record.state, None, record.attempt, running=False, text="", start=0, next=0)
    data = f"{kept.log}\n".encode(errors="replace")
    begins = min(after, len(data)) if execution in (0, kept.id) else 0
    text = data[begins:].decode(errors="ignore")
    return JobLog(record.state, kept.id, kept.attempt, running=False, text=text, start=begins, next=len(data))


AFTER = Parameter("after", {"type": "integer", "minimum": 0, "default": 0}, "only what follows so many bytes")
EXECUTION = Parameter(
    "execution", {"type": "integer"}, "the execution whose bytes were counted: of another one, all is told"
)

OPERATIONS = (
    Operation(
        "GET", "/api/jobs/{number}/log", _log, "What the engine said in the last execution of a job.", JobLog,
        parameters=(NUMBER, AFTER, EXECUTION), refusals=(404,),
    ),
)  # fmt: skip
