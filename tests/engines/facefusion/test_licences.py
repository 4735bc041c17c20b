import pytest

from faceswapd.engines.facefusion.licences import TABLE, Licence, licence_of, notice


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("hyperswap_1a_256", Licence("ResearchRAIL", True, 403)),
        ("inswapper_128_fp16", Licence("Non-Commercial", True, 278)),
        ("arcface_w600k_r50", Licence("Non-Commercial", True, 174)),
        ("gfpgan_1.4", Licence("Apache-2.0", False, 340)),
        ("codeformer", Licence("S-Lab-1.0", True, 377)),
        ("yoloface_8n", Licence("GPL-3.0", False, 12)),
        ("open_nsfw", Licence("unknown", None)),
        ("somebodys_own", Licence("unknown", None)),
    ],
)
def test_a_models_licence(name: str, licence: Licence) -> None:
    assert licence_of(name) == licence


def test_a_table_without_suffixes_and_without_a_model_twice() -> None:
    assert not [name for name in TABLE if name.endswith((".onnx", ".hash"))]
    assert len(TABLE) > 90
    assert TABLE["hififace_unofficial_256"].non_commercial is None


def test_the_notice_names_what_is_restricted_and_what_is_not_known() -> None:
    assert notice(["gfpgan_1.4", "nsfw_3"]) == ()
    assert notice(["gfpgan_1.4", "hyperswap_1a_256", "codeformer", "mine"]) == (
        "Research or non-commercial components in use: hyperswap_1a_256 (ResearchRAIL), codeformer (S-Lab-1.0).",
        "The licence is not known of: mine.",
    )
