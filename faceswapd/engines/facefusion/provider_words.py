"""What a trial of an execution provider said, and what that means: the missing library, and the CUDA that fits."""

import json
import re
import signal
from dataclasses import dataclass
from typing import Final

_LIBRARY: Final = re.compile(r"(lib[\w.+-]+?\.so[\w.]*|\w+\.d(?:ll|ylib)): (?:cannot open|file not found|undefined)")
_PAIR: Final = re.compile(r"Require cuDNN (\d+)[.\w*]* and CUDA (\d+)", re.IGNORECASE)
_COLOUR: Final = re.compile(r"\x1b?\[[\d;]*m")
_LINE: Final = re.compile(r"\[[EF]:onnxruntime[^\]]*\]\s*(.*)|EP Error\s+(.*)")
_REASONS: Final = (
    (r"driver version is insufficient|CUDA error 35|cudaErrorInsufficientDriver", "the graphics driver is too old"),
    (r"no CUDA-capable device|cudaErrorNoDevice|CUDA failure 100\b|hipErrorNoDevice", "no graphics card is seen"),
    (r"no kernel image|cudaErrorNoKernelImageForDevice", "ONNX Runtime has no code for this graphics card"),
    (r"out of memory|Failed to allocate memory", "the graphics card's memory is full"),
    (r"libcuda\.so\.1|nvcuda\.dll", "the graphics driver is not installed"),
    (r"not in available provider names|Unknown Provider Type", "ONNX Runtime was installed without it"),
    (r"install TensorRT", "the TensorRT libraries are missing"),
    (r"version .GLIBC\w*_[\d.]+. not found", "the system's libraries are too old for it"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the script told."""

    package: str = "onnxruntime"
    version: str = ""
    cuda: str | None = None  # the CUDA that ONNX Runtime was built for; None: it does not say
    really: str | None = None  # ONNX Runtime's name of the provider that the model ran on
    milliseconds: float | None = None
    error: str | None = None


def read(text: str) -> Answer:
    """The script's answer; an empty one for what is none."""
    try:
        told = json.loads(text)
        number = told.get("milliseconds")
        return Answer(
            str(told.get("package") or "onnxruntime"),
            str(told.get("version") or ""),
            told.get("cuda"),
            told.get("really"),
            None if number is None else float(number),
            told.get("error"),
        )
    except (ValueError, TypeError, AttributeError):
        return Answer()


def complaint(err: str, code: int, answer: Answer) -> str:
    """Why a trial failed, as the end of a sentence without its full stop."""
    text = _COLOUR.sub("", f"{err}\n{answer.error or ''}")
    library = _LIBRARY.search(text)
    if library is not None and not library[1].startswith("libcuda.so"):
        return f"the library {library[1]} is missing or does not fit"
    for pattern, reason in _REASONS:
        if re.search(pattern, text, re.IGNORECASE):
            return reason
    if code < 0:
        return f"its process was ended by {_signal(-code)}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = next(((found[1] or found[2]) for line in lines if (found := _LINE.search(line))), None)
    last = told or answer.error or (lines[-1] if lines else "it says nothing of the reason")
    return last.strip().rstrip(".")[:200]


def advice_on(name: str) -> str:
    """What can be done about a provider that does not run."""
    if name == "cuda":
        return "Install these for FaceFusion, or for FaceFusion another ONNX Runtime that fits what the machine has."
    if name == "tensorrt":
        return "Run `pip install tensorrt` with FaceFusion's Python, or use cuda, which needs no TensorRT."
    if name == "cpu":
        return "Install FaceFusion's packages again: run its `install.py` in its own environment."
    return f"Install FaceFusion again for this machine, with the ONNX Runtime that has {name}."


def pair(answer: Answer) -> tuple[str, str]:
    """The CUDA and the cuDNN that the installed ONNX Runtime needs: major versions."""
    version = tuple(int(part) for part in re.findall(r"\d+", answer.version)[:3])
    built = re.match(r"\d+", answer.cuda or "")
    if built is not None:
        return built[0], "9" if int(built[0]) >= 13 or version >= (1, 18, 1) else "8"
    if not version:
        return "12", "9"
    if version < (1, 18, 1):
        return ("12" if version >= (1, 18) else "11.8"), "8"
    return ("13" if version >= (1, 27) else "12"), "9"


def needs(answer: Answer) -> str:
    """The libraries that must be there for NVIDIA's cards, as a sentence."""
    cuda, cudnn = pair(answer)
    who = f"{answer.package} {answer.version}".strip()
    return f"{who} needs CUDA {cuda} and cuDNN {cudnn}."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
