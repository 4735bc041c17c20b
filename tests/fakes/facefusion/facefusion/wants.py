"""Arguments without which a step breaks: there are no defaults for a job file that lacks them."""

from . import options, state_manager
from .filesystem import is_image, is_video

_BOTH = {
    "face_detector_size": AttributeError("'NoneType' object has no attribute 'split'"),
    "face_detector_margin": TypeError("'NoneType' object is not subscriptable"),
    "face_detector_angles": TypeError("'NoneType' object is not iterable"),
    "face_detector_score": TypeError("'>' not supported between instances of 'float' and 'NoneType'"),
    "face_landmarker_model": TypeError("sequence item 1: expected str instance, NoneType found"),
    "face_landmarker_score": TypeError("'>' not supported between instances of 'NoneType' and 'int'"),
    "face_aligner_model": TypeError("sequence item 1: expected str instance, NoneType found"),
    "face_aligner_score": TypeError("'>' not supported between instances of 'NoneType' and 'int'"),
    "reference_face_position": TypeError("'<' not supported between instances of 'int' and 'NoneType'"),
    "reference_face_distance": TypeError("'<' not supported between instances of 'float' and 'NoneType'"),
    "face_tracker_score": TypeError("'>' not supported between instances of 'NoneType' and 'int'"),
    "face_occluder_model": TypeError("sequence item 1: expected str instance, NoneType found"),
    "face_parser_model": TypeError("sequence item 2: expected str instance, NoneType found"),
    "face_mask_types": TypeError("argument of type 'NoneType' is not iterable"),
    "face_mask_blur": TypeError("unsupported operand type(s) for *: 'float' and 'NoneType'"),
    "face_mask_padding": TypeError("'NoneType' object is not subscriptable"),
    "face_swapper_pixel_boost": AttributeError("'NoneType' object has no attribute 'split'"),
}
_IMAGE = {
    "output_image_quality": TypeError("unsupported operand type(s) for *: 'NoneType' and 'float'"),
    "output_image_scale": TypeError("unsupported operand type(s) for *: 'int' and 'NoneType'"),
}
_NO_PATH = "expected str, bytes or os.PathLike object, not NoneType"
_VIDEO = {
    "reference_frame_number": TypeError("'<' not supported between instances of 'NoneType' and 'int'"),
    "temp_pixel_format": TypeError(_NO_PATH),
    "target_frame_amount": TypeError("unsupported operand type(s) for -: 'int' and 'NoneType'"),
    "output_audio_encoder": TypeError(_NO_PATH),
    "output_audio_volume": TypeError("unsupported operand type(s) for /: 'NoneType' and 'int'"),
    "output_video_encoder": TypeError(_NO_PATH),
    "output_video_preset": TypeError(_NO_PATH),
    "output_video_quality": BrokenPipeError(32, "Broken pipe"),
    "output_video_scale": TypeError("unsupported operand type(s) for *: 'int' and 'NoneType'"),
}


def check() -> None:
    """Break where an argument is missing that this version needs."""
    target = state_manager.get_item("target_path")
    table = _BOTH | (_VIDEO if is_video(target) else _IMAGE if is_image(target) else {})
    for name, error in table.items():
        if name in _KNOWN and state_manager.get_item(name) is None:
            raise type(error)(*error.args)


_KNOWN = {one.name for one in options.STEP if options.is_known(one)}
