"""What is asked of a daemon with FaceFusion, again and again."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.control.wire import job_messages, messages
from tests.acceptance.farm import Farm

NewFarm = Callable[..., Farm]


def looked_at(path: Path) -> NDArray[np.uint8]:
    found = cv2.imread(str(path))
    assert found is not None
    return np.asarray(found, np.uint8)


def detail(farm: Farm, job: messages.Job) -> job_messages.JobDetail:
    return farm.ask(job_messages.JobDetail, f"/api/jobs/{job.id}")


def failed(farm: Farm, target: Path, category: str) -> messages.Job:
    """The job of a target, which has failed for good."""
    job = farm.ended(target)
    assert (job.state, job.category) == ("failed", category), job.reason
    assert job.output is None
    return job


def held(farm: Farm) -> messages.Status:
    """The status as soon as the breaker holds the queue."""
    return farm.until(lambda status: status.state == "held" and bool(status.waiting), "held")
