import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswapd.core.engine_options import ALLOWED, boosts, check, flag

CHOICES = {
    "--processors": ("face_debugger", "face_enhancer", "face_swapper", "frame_enhancer"),
    "--face-swapper-model": ("hyperswap_1a_256", "hyperswap_1b_256", "inswapper_128", "simswap_unofficial_512"),
    "--face-swapper-pixel-boost": ("256x256", "512x512", "768x768", "1024x1024"),
    "--face-swapper-weight": ("0.0", "0.05", "0.5", "1.0"),
    "--face-enhancer-blend": ("[0..100:1]",),
    "--face-mask-blur": ("[0.0..1.0:0.05]",),
    "--face-mask-padding": (),
    "--face-mask-types": ("box", "occlusion", "region"),
    "--face-detector-angles": (),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("processors", "face_swapper face_enhancer"),
        ("face_swapper_model", "hyperswap_1b_256"),
        ("face_swapper_weight", "0.50"),
        ("face_swapper_weight", "1"),
        ("face_enhancer_blend", "0"),
        ("face_enhancer_blend", "100"),
        ("face_mask_blur", "0.35"),
        ("face_mask_padding", "0 5 10 15"),
        ("face_mask_types", "box region"),
        ("face_detector_angles", "0 90"),
    ],
)
def test_what_the_installation_knows_is_taken(name: str, value: str) -> None:
    assert check([(name, value)], CHOICES) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("face_swaper_model", "x", "no option that a preset or a job can set. Did you mean face_swapper_model?"),
        ("--face-swapper-model", "x", "Did you mean face_swapper_model?"),
        ("temp_path", "/", "temp_path: this is no option that a preset or a job can set."),
        ("face_mask_areas", "mouth", "face_mask_areas: the installed FaceFusion does not have this option."),
        ("output_video_fps", "25", "output_video_fps: this is no option that a preset or a job can set."),
        ("output_video_scale", "2.0", "output_video_scale: this is no option that a preset or a job can set."),
        ("face_swapper_model", "hyperswap_1a", "hyperswap_1a: it is not known. Did you mean hyperswap_1a_256?"),
        ("face_swapper_model", "x", "hyperswap_1a_256, hyperswap_1b_256, inswapper_128, simswap_unofficial_512."),
        ("face_enhancer_blend", "120", "face_enhancer_blend = 120: it must be a number from 0 to 100."),
        ("face_enhancer_blend", "much", "it must be a number from 0 to 100."),
        ("face_enhancer_blend", "nan", "it must be a number from 0 to 100."),
        ("face_mask_blur", "0.33", "face_mask_blur = 0.33: it must be in steps of 0.05; the nearest is 0.35."),
        ("face_enhancer_blend", "10 20", "face_enhancer_blend = 10 20: it takes one value."),
        ("face_mask_padding", "1 2 3 4 5", "it takes at most 4 values."),
        ("face_enhancer_blend", " ", "face_enhancer_blend: the value is empty."),
        ("face_mask_types", "box --config-path", "--config-path is no value of an option."),
        ("face_mask_types", "box -t", "-t is no value of an option."),
        ("processors", "face_enhancer", "face_swapper must be among them"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_with_what_is_allowed(name: str, value: str, said: str) -> None:
    (problem,) = check([(name, value)], CHOICES)
    assert said in problem


def test_all_mistakes_are_told_at_once() -> None:
    assert len(check([("face_mask_blur", "2"), ("x", "y"), ("face_enhancer_blend", "-1")], CHOICES)) == 3


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("inswapper_128", ("128x128", "256x256", "384x384", "512x512", "768x768", "1024x1024")),
        ("inswapper_128_fp16", ("128x128", "256x256", "384x384", "512x512", "768x768", "1024x1024")),
        ("hyperswap_1a_256", ("256x256", "512x512", "768x768", "1024x1024")),
        ("blendswap_256", ("256x256", "384x384", "512x512", "768x768", "1024x1024")),
        ("simswap_unofficial_512", ("512x512", "768x768", "1024x1024")),
    ],
)
def test_the_boosts_follow_the_swapper(model: str, expected: tuple[str, ...]) -> None:
    assert boosts(model) == expected


def test_a_boost_is_held_against_the_swapper_that_it_comes_with() -> None:
    boost = ("face_swapper_pixel_boost", "128x128")
    assert check([("face_swapper_model", "inswapper_128"), boost], CHOICES) == []
    (problem,) = check([("face_swapper_model", "hyperswap_1a_256"), boost], CHOICES)
    assert "Allowed: 256x256, 512x512" in problem


def test_without_an_installation_only_names_and_shapes_are_looked_at() -> None:
    assert check([("face_swapper_model", "one_of_tomorrow"), ("output_video_encoder", "libx264")], {}) == []
    assert len(check([("face_swapper_model", "--x"), ("face_enhancer_blend", "101"), ("jobs_path", "x")], {})) == 3


def test_nothing_on_the_list_reaches_the_size_files_the_machine_or_the_content_check() -> None:
    words = (
        "scale",
        "fps",
        "resolution",
        "path",
        "analyser",
        "nsfw",
        "content",
        "download",
        "execution",
        "memory",
        "log",
        "ui",
        "trim",
        "job",
    )
    assert not [name for name in ALLOWED if set(name.split("_")) & set(words)]
    assert all(flag(name).startswith("--") for name in ALLOWED)


@given(st.sampled_from(sorted(ALLOWED)), st.text())
def test_no_accepted_value_can_be_taken_for_an_option(name: str, value: str) -> None:
    if not check([(name, value)], {}):
        assert all(one[0] != "-" or one[1].isdigit() or one[1] == "." for one in value.split())
