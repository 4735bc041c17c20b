"""The child's side of the conversation: one JSON object a line, questions in, answers out.

    to the child      {"id": 1, "verb": "probe", "args": {...}}
    from the child    {"ready": {...}}                             once, when it can take questions
                      {"id": 1, "progress": {...}}                 any number
                      {"id": 1, "result": {...}}                   success, or
                      {"id": 1, "failure": {"category", "sentence"}}

File descriptor 1 is kept for this conversation alone: whatever a library prints goes to stderr. When the
daemon ends, however it ends, stdin closes and the child ends itself and its whole process group at once.
"""

import gc
import io
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from faceswapd.children import kin
from faceswapd.core.failures import Failure

GOODBYE_SECONDS = 10.0  # in which a child whose daemon is gone ends all that it started

Args = Mapping[str, Any]
Say = Callable[[Args], None]
Handler = Callable[[Args, Say], Args]


class Refusal(Exception):
    """Raised by a handler: the question cannot be answered, and `failure` says why."""

    def __init__(self, category: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failure = Failure(category, sentence)


def serve(handlers: Mapping[str, Handler], ready: Args | None = None) -> None:
    """Answer questions until stdin closes. Never returns.

    A MemoryError becomes the failure `out_of_memory`; any other exception ends the child with its
    traceback on stderr, and the daemon sees a child that died.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # the log of a child that is killed holds what it printed
    lock = threading.Lock()

    def send(message: Args) -> None:
        line = json.dumps(message, separators=(",", ":"))
        with lock:
            out.write(line + "\n")
            out.flush()

    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    listening = threading.Thread(target=_listen, args=(questions,), daemon=True, name="stdin")
    listening.start()
    try:
        send({"ready": ready or {}})
        _answer(handlers, questions, send)
    except BrokenPipeError:  # the daemon is gone: this end must not come before that of all that we started
        listening.join(GOODBYE_SECONDS)
        raise


def _answer(handlers: Mapping[str, Handler], questions: "queue.SimpleQueue[str]", send: Say) -> None:

    def ask_about(number: int) -> Say:
        return lambda progress: send({"id": number, "progress": progress})

    gc.collect()
    gc.freeze()  # what was imported stays anyway: looking through it would cost each question 30 ms
    while True:
        # What a job left in circles (a failure holds frames, and they a codec and its threads) goes before the next.
        gc.collect()
        question = json.loads(questions.get())
        number, handler = question["id"], handlers[question["verb"]]
        try:
            result = handler(question["args"], ask_about(number))
        except Refusal as refusal:
            failure = refusal.failure
        except MemoryError:
            failure = Failure("out_of_memory", "The machine or the child's limit had too little memory for this file.")
        else:
            send({"id": number, "result": result})
            continue
        send({"id": number, "failure": {"category": failure.category, "sentence": failure.sentence}})


def _listen(questions: "queue.SimpleQueue[str]") -> None:
    """Hand on each line of stdin; at its end the daemon is gone, and so are we, with all that we started."""
    for line in sys.stdin:
        questions.put(line)
    if kin.VARIABLE in os.environ:
        kin.end_all(os.environ[kin.VARIABLE])
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)
