"""Under which licence each model of FaceFusion's stands, and about how large it is.

The licences are those that FaceFusion 3.8.1 tells in its own tables; the sizes are seeds for an estimate before the
server has told the true one. A name is a file's, without its suffix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Licence:
    """What is known of one model."""

    name: str  # the licence's, as FaceFusion tells it
    non_commercial: bool | None  # whether it forbids commercial use; None: not known
    megabytes: int | None = None  # about; None: not known


_RESTRICTED = frozenset({"Non-Commercial", "ResearchRAIL", "S-Lab-1.0"})


def _table(rows: Mapping[str, str]) -> dict[str, Licence]:
    """Each row is a licence and its models, with `=` and the size in megabytes where it is known."""
    table = {}
    for name, models in rows.items():
        for model in models.split():
            stem, _, size = model.partition("=")
            restricted = None if name == UNKNOWN else name in _RESTRICTED
            table[stem] = Licence(name, restricted, int(size) if size else None)
    return table


TABLE: Mapping[str, Licence] = _table(
    {
        "ResearchRAIL": "hyperswap_1a_256=403 hyperswap_1b_256=403 hyperswap_1c_256=403",
        "Non-Commercial": (
            "inswapper_128=554 inswapper_128_fp16=278 blendswap_256 simswap_256 simswap_unofficial_512 "
            "crossface_simswap arcface_w600k_r50=174 arcface_simswap retinaface_10g scrfd_2.5g "
            "gpen_bfr_256=76 gpen_bfr_512=284 gpen_bfr_1024 gpen_bfr_2048 "
            "span_kendata_x4 ultra_sharp_x4=52 ultra_sharp_2_x4 clear_reality_x4 remacri_x4=72 "
            "wav2lip_96 wav2lip_gan_96 kim_vocal_1=67 kim_vocal_2=67 "
            "rmbg_1.4 rmbg_2.0 corridor_key_1024 corridor_key_2048"
        ),
        "S-Lab-1.0": "codeformer=377 styleganex_age=1340",
        "Apache-2.0": (
            "ghost_1_256=515 ghost_2_256=739 ghost_3_256=856 crossface_ghost nsfw_1=80 nsfw_2=23 "
            "gfpgan_1.2 gfpgan_1.3 gfpgan_1.4=340 restoreformer_plus_plus=294 peppa_wutz real_hatgan_x4 swin2_sr_x4=57 "
            "edtalk_256=271 ddcolor ddcolor_artistic isnet_general modnet ormbg silueta "
            "u2net_general u2net_human u2netp"
        ),
        "MIT": (
            "nsfw_3=358 2dfan4=98 yunet_2023_mar=1 bisenet_resnet_18=53 bisenet_resnet_34 uvr_mdxnet=67 fran "
            "live_portrait_feature_extractor live_portrait_motion_extractor live_portrait_eye_retargeter "
            "live_portrait_lip_retargeter live_portrait_stitcher live_portrait_generator "
            "deoldify deoldify_artistic deoldify_stable ben_2 birefnet_general birefnet_portrait u2net_cloth"
        ),
        "GPL-3.0": "yoloface_8n=12 xseg_1=70 xseg_2=70 xseg_3=70 tghq_face_x8",
        "OpenRAIL-M": "fan_68_5=1",
        "CC-BY-4.0": "fairface=85 real_web_photo_x4=117 nomos8k_sc_x4 face_dat_x4",
        "BSD-3-Clause": (
            "real_esrgan_x2 real_esrgan_x2_fp16 real_esrgan_x4 real_esrgan_x4_fp16 real_esrgan_x8 real_esrgan_x8_fp16"
        ),
        "WTFPL": "siax_x4=72 realistic_rescaler_x4=72",
        UNKNOWN: "hififace_unofficial_256=204 crossface_hififace uniface_256 open_nsfw dfl_xseg",
    }
)


def licence_of(name: str) -> Licence:
    """The licence of a model, by its file's name without the suffix. A model that the table lacks is unknown."""
    return TABLE.get(name, Licence(UNKNOWN, None))


def notice(names: Iterable[str]) -> tuple[str, ...]:
    """Sentences on what the models forbid; none where nothing is forbidden, and all is known."""
    found = {name: licence_of(name) for name in names}
    restricted = [f"{name} ({one.name})" for name, one in found.items() if one.non_commercial]
    unknown = [name for name, one in found.items() if one.non_commercial is None]
    said = []
    if restricted:
        said.append(f"Research or non-commercial components in use: {', '.join(restricted)}.")
    if unknown:
        said.append(f"The licence is not known of: {', '.join(unknown)}.")
    return tuple(said)
