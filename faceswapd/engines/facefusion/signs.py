"""What a line of FaceFusion's stderr says about a failure: one ordered table, pattern -> category.

The words come from FaceFusion 3.0 to 4, from ffmpeg, and from what ONNX Runtime's users report. The first sign that is
found decides, so that the exact ones stand before the vague ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

_LONGEST = 60  # characters of what is quoted
_MOST = 3  # different things of one kind that are quoted


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern of a category. What its group `what` matches is put into the sentence at `{what}`."""

    category: str
    pattern: re.Pattern[str]
    sentence: str | None = None  # None: the catalogue's own

    def found(self, lines: Sequence[str]) -> "Found | None":
        """Look through the lines; None: it is in none of them."""
        matches = [match for line in lines if (match := self.pattern.search(line))]
        if not matches:
            return None
        quoted = (_plain(match.groupdict().get("what") or "") for match in matches)
        return Found(self, tuple(dict.fromkeys(text for text in quoted if text)))


@dataclass(frozen=True, slots=True)
class Found:
    """A sign, and what it named."""

    sign: Sign
    what: tuple[str, ...]

    @property
    def sentence(self) -> str | None:
        """What to tell the user; None: the catalogue's own sentence."""
        if self.sign.sentence is None or "{what}" not in self.sign.sentence:
            return self.sign.sentence
        if not self.what:
            return None
        names = list(self.what[:_MOST])
        if len(self.what) > _MOST:
            names.append(f"{len(self.what) - _MOST} more")
        return self.sign.sentence.replace("{what}", " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))))


def first(signs: Sequence[Sign], lines: Sequence[str]) -> Found | None:
    """The first sign of the table that the lines show."""
    return next((found for sign in signs if (found := sign.found(lines))), None)


def without(signs: Sequence[Sign], lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that show none of the signs."""
    return tuple(line for line in lines if not any(sign.pattern.search(line) for sign in signs))


def _plain(text: str) -> str:
    """A name without its folders: paths of the scratch mean nothing to a user."""
    name = PureWindowsPath(PurePosixPath(text.strip(" '\"`.!")).name).name
    return "".join(letter for letter in name if letter.isprintable())[:_LONGEST]


def _sign(category: str, *patterns: str, say: str | None = None) -> Sign:
    return Sign(category, re.compile("|".join(patterns), re.IGNORECASE), say)


# Even when FaceFusion says that it is done: it does not look at what ffmpeg wrote.
IN_SPITE: Final = (
    _sign(
        "disk_full",
        r"no space left on device|\bENOSPC\b|\[Errno 28\]",
        r"disk quota exceeded|\[Errno 122\]",
        r"not enough space on the disk|\bdisk (?:is )?full\b",
        r"curl: \(23\)",
        say="The disk was full while FaceFusion worked.",
    ),
)

# Each says for itself why it failed.
EXACT: Final = (
    # the installation
    _sign(
        "dependency_missing",
        r"(?P<what>curl|ffmpeg|ffprobe) is not installed",
        say="FaceFusion needs {what}, and it is not installed.",
    ),
    _sign(
        "dependency_missing",
        r"no such file or directory: '(?P<what>(?:\S*/)?(?:curl|ffmpeg|ffprobe))'",
        say="FaceFusion needs {what}, and does not find it.",
    ),
    _sign(
        "engine_python",
        r"python version is not supported",
        say="FaceFusion needs a newer Python than the one that it is started with.",
    ),
    _sign("engine_python", r"conda is not activated", say="FaceFusion's conda environment is not active."),
    _sign(
        "numpy_abi",
        r"compiled using NumPy 1|_ARRAY_API not found",
        r"core\.multiarray failed to import|numpy\.(?:dtype|ufunc) size changed",
    ),
    _sign(
        "engine_python",
        r"(?:ModuleNotFoundError|ImportError): no module named '?(?P<what>[\w.]+)",
        say="FaceFusion's Python lacks the module {what}.",
    ),
    _sign(
        "engine_python",
        r"processor (?P<what>\w+) (?:could not be loaded|not implemented correctly)",
        say="FaceFusion could not load its processor {what}.",
    ),
    _sign(
        "dependency_missing",
        r"ImportError: (?P<what>lib(?!cu|nv)[\w.-]+): cannot open shared object file",
        say="FaceFusion needs the system's library {what}, and it is not installed.",
    ),
    _sign(
        "provider_unavailable",
        r"argument --execution-providers?: invalid choice: '?(?P<what>\w+)",
        say="The installed FaceFusion does not offer the execution provider {what}.",
    ),
    _sign(
        "option_unknown",
        r"error: unrecognized arguments: (?P<what>-\S+)",
        say="The installed FaceFusion does not know the option {what}.",
    ),
    _sign(
        "option_unknown",
        r"error: argument (?:-\w, |-\w/)?(?P<what>[\w-]+)(?:/\S+)?: ",
        say="The installed FaceFusion does not take the value that is set for {what}.",
    ),
    _sign(
        "option_unknown",
        r"error: (?:the following arguments are required|ambiguous option): (?P<what>[^\s,]+)",
        say="The installed FaceFusion wants the option {what} in another way.",
    ),
    _sign("bad_ini", r"^configparser\.\w+", say="FaceFusion cannot read its `facefusion.ini`."),
    # what the user dropped
    _sign("no_source_face", r"no source face detected"),
    _sign("source_unreadable", r"choose an? (?:image|audio)(?: or \w+)? for the source"),
    _sign(
        "unsupported",
        r"choose an? (?:image or video|video|image) for the target",
        say="FaceFusion does not take this file as a target.",
    ),
    _sign("output_place", r"specify the output .{1,30} within a directory"),
    _sign("extension_mismatch", r"match the target and output extension"),
    _sign("path_unicode", r"im(?:read|write)_\('[^']*[^\x00-\x7f][^']*'\)", r"UnicodeEncodeError"),
    _sign("probe_failed", r"could not convert string to float: '?N/A", r"invalid literal for int\(\).*'N/A'"),
    # the machine
    _sign(
        "nvenc_limit",
        r"OpenEncodeSessionEx failed|no (?:NVENC )?capable devices found",
        r"cannot load (?:libnvidia-encode|nvcuda|nvEncodeAPI)|minimum required nvidia driver for nvenc",
        r"cannot create compression session|initializing an internal MFX session|No VA display found",
    ),
    _sign(
        "gpu_arch",
        r"no kernel image is available|cudaErrorNoKernelImageForDevice|CUDNN_STATUS_ARCH_MISMATCH",
        r"PTX was compiled with an unsupported toolchain|unsupported gpu architecture",
    ),
    _sign(
        "gpu_oom",
        r"CUDA\w*\b.{0,40}out of memory|cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY",
        r"failed to allocate memory for requested buffer",
        r"CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|CUDNN_STATUS_INTERNAL_ERROR",
        r"hipErrorOutOfMemory|kIOGPUCommandBufferCallbackErrorOutOfMemory|8007000E|E_OUTOFMEMORY",
    ),
    _sign(
        "gpu_lost",
        r"illegal memory access|unspecified launch failure|launch timed out and was terminated|hipErrorIllegalAddress",
        r"fallen off the bus|GPU is lost|device-side assert|uncorrectable ECC error",
        r"cudaErrorDevicesUnavailable|CUDA-capable device\(s\) is/are busy|no CUDA-capable device is detected",
        r"887A000[567]|DXGI_ERROR_DEVICE|GPU device instance has been suspended",
    ),
    _sign(
        "out_of_memory",
        r"\bMemoryError\b|unable to allocate [\d.]+ \w?i?B|std::bad_alloc|cannot allocate memory|\[Errno 12\]",
        r"insufficient memory|can't start new thread|failed to allocate \d+ bytes",
    ),
    _sign("too_many_files", r"too many open files|\[Errno 24\]"),
    _sign(
        "encoder_missing",
        r"unknown encoder '(?P<what>\w+)'",
        say="FaceFusion's ffmpeg does not have the encoder {what}.",
    ),
    _sign("encoder_missing", r"encoder (?:\S+ )?not found"),
    _sign(
        "not_writable",
        r"read-only file system|\[Errno 30\]|permission denied|\[Errno 13\]",
        r"could not open file : |operation not permitted",
        say="A folder that FaceFusion writes to does not allow it.",
    ),
    # models
    _sign(
        "model_corrupt",
        r"deleting corrupt source for (?P<what>\S+)",
        say="The model file of {what} was damaged, and FaceFusion has deleted it.",
    ),
    _sign(
        "download_failed",
        r"curl: \(\d+\)|could not resolve host|SSL certificate problem|\[Errno -\d\] .*name resolution",
    ),
    _sign(
        "model_missing",
        r"validating (?:hash|source) for (?P<what>\S+) failed",
        say="FaceFusion's model files are missing: {what}.",
    ),
    # the job
    _sign(
        "job_file",
        r"sequence item \d+: expected str instance, NoneType found|^json\.decoder\.JSONDecodeError",
        say="FaceFusion found an option missing in the job that it was given.",
    ),
)

# A part of the work failed, and FaceFusion does not say why.
VAGUE: Final = (
    _sign("extract_failed", r"extracting frames failed|temporary frames not found"),
    _sign("encode_failed", r"merging video failed|processing to video failed|processing stopped|^BrokenPipeError"),
    _sign("image_failed", r"copying image failed|processing to image failed"),
)

# Said in every job of an installation whose graphics card does not work, also in good ones: no failure by itself, but
# the cause where a model could not be loaded or computed.
HINTS: Final = (
    _sign(
        "trt_missing",
        r"libnvinfer|nvinfer\w*\.dll|RegisterTensorRTPluginsAsCustomOps|failed to create TensorrtExecutionProvider",
        r"providers_tensorrt\b.*(?:error 126|cannot open)|TensorRT EP (?:could not|failed)",
    ),
    _sign(
        "gpu_runtime_missing",
        r"(?P<what>lib(?:cudnn|cublas|cufft|curand|cudart|nvrtc|cuda)\w*\.so[.\d]*)",
        say="A library that the execution provider needs is missing: {what}.",
    ),
    _sign(
        "gpu_runtime_missing",
        r"providers_(?:cuda|rocm|migraphx)\b.*(?:error 12[67]|cannot open)|LoadLibrary failed with error 12[67]",
        r"CUDA_PATH is set but|require cudnn \d|CUDA driver version is insufficient",
    ),
    _sign(
        "silent_cpu",
        r"falling back to .*CPUExecutionProvider|failed to create \w+ExecutionProvider|EP Error",
        r"ONNX Runtime is using the CPU|applied providers: \['CPUExecutionProvider'\]",
    ),
)

# Told when it is done: the output may be black where the faces are.
DOUBTS: Final = (_sign("fp16_unsupported", r"RuntimeWarning: invalid value encountered in cast"),)

# What is left when nothing of the above was said.
LAST: Final = (
    _sign(
        "provider_failed",
        r"unable to compute the prediction|error executing model|error in building plan",
        r"non-zero status code returned while running|\[ONNXRuntimeError\]",
    ),
    _sign(
        "model_load",
        r"loading model (?P<what>\S+) failed",
        say="The model {what} could not be loaded, and FaceFusion does not say why.",
    ),
)
