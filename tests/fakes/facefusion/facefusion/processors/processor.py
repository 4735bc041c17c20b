# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""One processor: what it checks before a step, what it does with a frame, what it drops after the step."""

from pathlib import Path

from .. import faults, inference_manager, logger, models, state_manager, traits, wants
from ..download import conditional_download_hashes, conditional_download_sources
from ..filesystem import in_directory, is_image, is_video, same_file_extension
from ..pictures import Picture, enhance, has_face, read_image, swap
from ..traits import say

_LOOKING = ("face_detector", "face_landmarker", "face_recognizer", "face_classifier")  # in the order of their use


class Processor:
    """What a module of `processors.modules` is made of."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module = name if traits.VERSION < (3, 5) else "core"
        common = ("content_analyser",) if name.startswith(("frame_", "background_")) else models.COMMON
        self._common = () if traits.VERSION < (3, 7) else common

    def pre_check(self) -> bool:
        """Whether all models are there and right."""
        files = self._models()
        hashes, sources = files.get("hashes"), files.get("sources")
        for module in self._common:
            if not check(models.common_names(module)):
                return False
        return conditional_download_hashes(hashes or {}) and conditional_download_sources(sources or {})

    def pre_process(self, mode: str) -> bool:
        """Whether source, target and output are of use."""
        get = state_manager.get_item
        if self._name == "face_swapper" and not self._has_source():
            return False
        wants.check()
        target, output = get("target_path"), get("output_path")
        if not is_image(target) and not is_video(target):
            return self._refuse("choose an image or video for the target")
        if mode == "output" and not in_directory(output):
            return self._refuse("specify the output image or video within a directory")
        if mode == "output" and traits.STRICT_EXTENSION and not same_file_extension(target, output):
            return self._refuse("match the target and output extension")
        return True

    def _has_source(self) -> bool:
        source = state_manager.get_item("source_paths") or []
        pictures = [path for path in source if is_image(path)]
        if not pictures:
            return self._refuse("choose an image for the source")
        wants.check()
        inference_manager.get_inference_pool("face_detector", models.common_names("face_detector"))
        seen = [read_image(path) for path in pictures]
        if (
            faults.has("no_face")
            or not models.common_names("face_detector")
            or not any(p is not None and has_face(p) for p in seen)
        ):
            return self._refuse("no source face detected")
        for module in _LOOKING:
            inference_manager.get_inference_pool(module, models.common_names(module))
        return True

    def _refuse(self, why: str) -> bool:
        logger.error(say(why) + "!", self._module)
        return False

    def process_frame(self, frame: Picture) -> Picture:
        """A frame, processed."""
        get = state_manager.get_item
        if self._name in {"face_swapper", "face_enhancer"}:
            if not _finds_face(frame):
                return frame
            for module in (
                *_LOOKING,
                *(("face_masker",) if {"occlusion", "region"} & set(get("face_mask_types")) else ()),
            ):
                inference_manager.get_inference_pool(module, models.common_names(module))
        inference_manager.get_inference_pool(self._name, (self._model(),))
        if self._name == "face_swapper":
            return swap(frame)
        return enhance(frame, get("face_enhancer_blend")) if self._name == "face_enhancer" else frame

    def post_process(self) -> None:
        """Drop models, as the memory strategy says."""
        strategy = state_manager.get_item("video_memory_strategy")
        if strategy in {"strict", "moderate"}:
            inference_manager.clear_inference_pool(self._name)
        if strategy == "strict":
            for module in models.COMMON:
                inference_manager.clear_inference_pool(module)

    def scale(self) -> int:
        """How many times wider a frame becomes."""
        name = Path(self._model()).name
        return int(name.rsplit("_x", 1)[1][0]) if self._name == "frame_enhancer" else 1

    def _model(self) -> str:
        return str(state_manager.get_item(self._name + "_model"))

    def _models(self) -> dict[str, dict[str, models.File]]:
        """The files of the model that is asked for: none at all where none is, and so it breaks."""
        asked = state_manager.get_item(self._name + "_model")
        nothing: dict[str, dict[str, models.File]] = None  # type: ignore[assignment]
        if self._name == "face_debugger":
            return {}
        return {"hashes": models.hashes((asked,)), "sources": models.sources((asked,))} if asked else nothing


def check(names: tuple[str, ...]) -> bool:
    """Whether the files of some models are there and right."""
    return conditional_download_hashes(models.hashes(names)) and conditional_download_sources(models.sources(names))


def _finds_face(frame: Picture) -> bool:
    get = state_manager.get_item
    return bool(get("face_selector_mode")) and not faults.has("nothing_swapped") and has_face(frame)
