"""Which model files there are, which of them a step needs, and how big the real ones are."""

import tomllib
from pathlib import Path
from typing import TypedDict

from . import state_manager, traits
from .stand_in import MODELS

_MEGABYTES: dict[str, int] = tomllib.loads(Path(__file__).with_name("model_sizes.toml").read_text("utf-8"))
_OTHERS = 70  # megabytes of a model that is not in the table
_DETECTORS = {
    "yolo_face": ("yoloface_8n",),
    "yoloface": ("yoloface_8n",),
    "yunet": ("yunet_2023_mar",),
    "retinaface": ("retinaface_10g",),
    "scrfd": ("scrfd_2.5g",),
    "many": ("retinaface_10g", "scrfd_2.5g", "yoloface_8n", "yunet_2023_mar"),
}
ALL = tuple(_MEGABYTES)
_LANDMARKER = "face_aligner_model" if traits.IS_FOUR else "face_landmarker_model"
_FIXED = {
    "content_analyser": ("open_nsfw",) if traits.VERSION < (3, 3) else ("nsfw_1", "nsfw_2", "nsfw_3"),
    "face_classifier": ("fairface",),
    "face_masker": ("dfl_xseg", "bisenet_resnet_34"),
    "face_recognizer": ("arcface_w600k_r50",),
    "voice_extractor": ("kim_vocal_2",),
}
COMMON = ("content_analyser", "face_classifier", "face_detector", "face_landmarker", "face_masker", "face_recognizer")


class File(TypedDict):
    """Where one file is, and where it would be fetched."""

    url: str
    path: str


def gigabytes(name: str) -> float:
    """How big the real model is."""
    return _MEGABYTES.get(name, _OTHERS) / 1000


def common_names(module: str) -> tuple[str, ...]:
    """The models that a common module needs for the running step: those that its arguments name."""
    get = state_manager.get_item
    landmarker, occluder = get(_LANDMARKER), get("face_occluder_model")
    if module == "face_masker" and traits.VERSION >= (3, 1):
        occluders = ("xseg_1", "xseg_2", "xseg_3") if occluder == "many" else (occluder,)
        return tuple(name for name in (*occluders, get("face_parser_model")) if name)
    if module == "face_landmarker":
        landmarkers = ("2dfan4", "peppa_wutz") if landmarker == "many" else (landmarker,)
        return tuple(name for name in ("fan_68_5", *landmarkers) if name)
    if module == "face_detector":
        return _DETECTORS.get(get("face_detector_model"), ())
    return _FIXED[module]


def hashes(names: tuple[str, ...]) -> dict[str, File]:
    """The files with the checksums of some models."""
    return {name: _file(name, ".hash") for name in names}


def sources(names: tuple[str, ...]) -> dict[str, File]:
    """The files with the weights of some models."""
    return {name: _file(name, ".onnx") for name in names}


def file_name(model: str) -> str:
    """The name of a model's files, without their endings."""
    return {"yolo_face": "yoloface_8n", "yoloface": "yoloface_8n"}.get(model, model.replace("/", "_"))


def _file(name: str, suffix: str) -> File:
    name = file_name(name) + suffix
    return File(url=f"https://models.invalid/{name}", path=str(MODELS / name))
