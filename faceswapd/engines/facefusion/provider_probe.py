"""Tries one execution provider with a small model; runs inside FaceFusion's own Python, one process for each provider.

Standard library and ONNX Runtime only, and Python 3.10: nothing of faceswapd is installed there.

    to the script      the provider's name at ONNX Runtime, e.g. CUDAExecutionProvider; none: only versions are told
    from the script    {"package": "onnxruntime-gpu", "version": "1.24.4", "cuda": "12.8",
                        "really": "CUDAExecutionProvider", "milliseconds": 1.5, "error": null}

What ONNX Runtime complains of goes to stderr. A provider that cannot be loaded is replaced by the processor's without a
word in the answer, so `really` is what the session says that it runs on.
"""

import base64
import importlib
import importlib.metadata
import json
import os
import sys
import time
from array import array
from pathlib import Path
from typing import Any

PACKAGES = (
    "onnxruntime-gpu",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-openvino",
    "onnxruntime-directml",
    "onnxruntime-qnn",
    "onnxruntime",
)
RUNS = 3  # of which the quickest counts; one before them warms up
SIDE = 160  # pixels of the model's square picture

# Six convolutions with 64 channels over a picture of 160x160 (opset 13, IR 7), which take a processor's core 0.2 s.
MODEL = (
    "CAcSADq/BAoSCgJ3MAoBdBIBYSIGRXhwYW5kChIKAncwCgFzEgF3IgZFeHBhbmQKIwoBeAoBYRICYzAiBENvbnYqEQoEcGFkc0ABQAFAAUABoA"
    "EHCg4KAmMwEgJyMCIEUmVsdQokCgJyMAoBdxICYzEiBENvbnYqEQoEcGFkc0ABQAFAAUABoAEHCg4KAmMxEgJyMSIEUmVsdQokCgJyMQoBdxIC"
    "YzIiBENvbnYqEQoEcGFkc0ABQAFAAUABoAEHCg4KAmMyEgJyMiIEUmVsdQokCgJyMgoBdxICYzMiBENvbnYqEQoEcGFkc0ABQAFAAUABoAEHCg"
    "4KAmMzEgJyMyIEUmVsdQokCgJyMwoBdxICYzQiBENvbnYqEQoEcGFkc0ABQAFAAUABoAEHCg4KAmM0EgJyNCIEUmVsdQokCgJyNAoBdxICYzUi"
    "BENvbnYqEQoEcGFkc0ABQAFAAUABoAEHCg4KAmM1EgJyNSIEUmVsdQozCgJyNRIBeSIKUmVkdWNlTWVhbioNCgRheGVzQAJAA6ABByoPCghrZW"
    "VwZGltcxgAoAECEgV0cmlhbCoMEAFCAncwSgQK1yM8KikIBBAHQgFzSiBAAAAAAAAAAEAAAAAAAAAAAwAAAAAAAAADAAAAAAAAACopCAQQB0IB"
    "dEogQAAAAAAAAAADAAAAAAAAAAMAAAAAAAAAAwAAAAAAAABaHQoBeBIYChYIARISCgIIAQoCCAMKAwigAQoDCKABYhMKAXkSDgoMCAESCAoCCA"
    "EKAghAQgQKABAN"
)


def main() -> None:
    """Answer once."""
    here = str(Path(__file__).parent)  # whose names are none of FaceFusion's business
    sys.path[:] = [folder for folder in sys.path if folder != here]
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    runtime: Any = importlib.import_module("onnxruntime")
    answer = _versions(runtime)
    provider = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if provider:
            answer.update(_try(runtime, provider))
    except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
        answer["error"] = f"{type(error).__name__}: {error}"[:2000]
    json.dump(answer, out)
    out.flush()
    sys.stderr.flush()
    os._exit(0)  # libraries that fail while they are taken down do not matter any more


def _versions(runtime: Any) -> "dict[str, Any]":
    package = "onnxruntime"
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        package = name
        break
    try:
        built = importlib.import_module("onnxruntime.capi.build_and_package_info")
    except ImportError:
        built = None
    cuda = getattr(built, "cuda_version", None)
    return {
        "package": package,
        "version": str(runtime.__version__),
        "cuda": str(cuda) if cuda else None,
        "really": None,
        "milliseconds": None,
        "error": None,
    }


def _try(runtime: Any, provider: str) -> "dict[str, Any]":
    session = runtime.InferenceSession(base64.b64decode(MODEL), providers=[provider])
    picture = _picture()
    seconds = []
    for _ in range(1 + RUNS):
        start = time.perf_counter()
        result = session.run(None, {"x": picture})
        seconds.append(time.perf_counter() - start)
    if not 0 < float(result[0][0][0]) < float("inf"):
        raise ValueError("the result of the small model is wrong")
    return {"really": session.get_providers()[0], "milliseconds": 1000 * min(seconds[1:])}


def _picture() -> Any:
    """A grey picture, the same for every provider. NumPy comes with ONNX Runtime."""
    numpy: Any = importlib.import_module("numpy")
    values = array("f", [0.5]) * (3 * SIDE * SIDE)
    return numpy.frombuffer(values, dtype=numpy.float32).reshape(1, 3, SIDE, SIDE)


if __name__ == "__main__":
    main()
