"""The options of the processors."""

from .spans import Option
from .traits import VERSION

_DIRECTION, _SHARE, _PART = "-1.0..1.0:0.05", "0..100:1", "0.0..1.0:0.05"
_OLD = VERSION < (3, 1)
_SHAPES = (
    "eyebrow_direction", "eye_gaze_horizontal", "eye_gaze_vertical", "eye_open_ratio", "lip_open_ratio", "mouth_grim",
    "mouth_pout", "mouth_purse", "mouth_smile", "mouth_position_horizontal", "mouth_position_vertical", "head_pitch",
    "head_yaw", "head_roll",
)  # fmt: skip
_BACKGROUNDS = (
    "ben_2", "birefnet_general", "birefnet_portrait", "corridor_key_1024", "corridor_key_2048", "isnet_general",
    "modnet", "ormbg", "rmbg_1.4", "rmbg_2.0", "silueta", "u2net_cloth", "u2net_general", "u2net_human", "u2netp",
)  # fmt: skip
_ENHANCERS = (
    "codeformer", "gfpgan_1.2", "gfpgan_1.3", "gfpgan_1.4", "gpen_bfr_256", "gpen_bfr_512", "gpen_bfr_1024",
    "gpen_bfr_2048", "restoreformer_plus_plus",
)  # fmt: skip
_HYPERSWAPS = ("hyperswap_1a_256", "hyperswap_1b_256", "hyperswap_1c_256")
_SWAPPERS = (
    "blendswap_256", "ghost_1_256", "ghost_2_256", "ghost_3_256", "hififace_unofficial_256",
    *(_HYPERSWAPS if VERSION >= (3, 3) else ()),
    "inswapper_128", "inswapper_128_fp16", "simswap_256", "simswap_unofficial_512", "uniface_256",
)  # fmt: skip
_FRAME_ENHANCERS = (
    "clear_reality_x4", "face_dat_x4", *(("lsdir_x4",) if VERSION < (3, 8) else ()), "nomos8k_sc_x4", "real_esrgan_x2",
    "real_esrgan_x2_fp16", "real_esrgan_x4", "real_esrgan_x4_fp16", "real_esrgan_x8", "real_esrgan_x8_fp16",
    "real_hatgan_x4", "real_web_photo_x4", "realistic_rescaler_x4", "remacri_x4", "siax_x4", "span_kendata_x4",
    "swin2_sr_x4", "tghq_face_x8", "ultra_sharp_x4", "ultra_sharp_2_x4",
)  # fmt: skip
_COLORS = ("ddcolor", "ddcolor_artistic", "deoldify", "deoldify_artistic", "deoldify_stable")

SWAPPER_MODEL = "hyperswap_1a_256" if VERSION >= (3, 3) else "inswapper_128_fp16"
_EDGES = ("128x128", "256x256", "384x384", "512x512", "768x768", "1024x1024")


def pixel_boosts(model: str) -> tuple[str, ...]:
    """The sizes that a swapper's model can work at; the first is its default."""
    if model.startswith("inswapper"):
        return _EDGES
    least = 512 if model == "simswap_unofficial_512" else 256
    sizes = tuple(edge for edge in _EDGES if int(edge.split("x")[0]) >= least)
    return sizes if model == "blendswap_256" else tuple(edge for edge in sizes if edge != "384x384")


PROCESSOR_OPTIONS = (
    Option("age_modifier_model", "fran" if VERSION >= (3, 7) else "styleganex_age", ("fran", "styleganex_age")),
    Option("age_modifier_direction", 0, span="-100..100:1"),
    Option("background_remover_model", "modnet" if VERSION >= (3, 7) else "rmbg_2.0", _BACKGROUNDS, since=(3, 5)),
    Option("background_remover_color", [0, 0, 0, 0], kind=int, many=True, free=True, since=(3, 5), until=(3, 7)),
    Option("background_remover_fill_color", [0, 0, 0, 0], kind=int, many=True, free=True, since=(3, 7)),
    Option("background_remover_despill_color", [0, 0, 0, 0], kind=int, many=True, free=True, since=(3, 7)),
    Option("deep_swapper_model", "iperov/elon_musk_224", since=(3, 1)),
    Option("deep_swapper_morph", 100, span=_SHARE, since=(3, 1)),
    Option("expression_restorer_model", "live_portrait", ("live_portrait",)),
    Option("expression_restorer_factor", 80, span=_SHARE),
    Option("expression_restorer_areas", ["upper-face", "lower-face"], ("upper-face", "lower-face"), many=True,
           since=(3, 4)),
    Option("face_debugger_items", ["face-landmark-5/68", "face-mask"],
           ("bounding-box", "face-landmark-5", "face-landmark-5/68", "face-landmark-68", "face-landmark-68/5",
            "face-mask"), many=True),
    Option("face_editor_model", "live_portrait", ("live_portrait",)),
    *(Option(f"face_editor_{shape}", 0.0, span=_DIRECTION) for shape in _SHAPES),
    Option("face_enhancer_model", "gfpgan_1.4", _ENHANCERS),
    Option("face_enhancer_blend", 80, span=_SHARE),
    Option("face_enhancer_weight", 0.5, span=_PART, since=(3, 1)),
    Option("face_swapper_model", SWAPPER_MODEL, _SWAPPERS),
    Option("face_swapper_pixel_boost", pixel_boosts(SWAPPER_MODEL)[0], pixel_boosts(SWAPPER_MODEL)),
    Option("face_swapper_weight", 0.5, span=_PART, listed=True, since=(3, 3)),
    Option("frame_colorizer_model", "ddcolor", _COLORS),
    Option("frame_colorizer_size", "256x256", ("192x192", "256x256", "384x384", "512x512")),
    Option("frame_colorizer_blend", 100, span=_SHARE),
    Option("frame_enhancer_model", "span_kendata_x4", _FRAME_ENHANCERS),
    Option("frame_enhancer_blend", 80, span=_SHARE),
    Option("lip_syncer_model", "wav2lip_gan_96", (*(() if _OLD else ("edtalk_256",)), "wav2lip_96", "wav2lip_gan_96")),
    Option("lip_syncer_weight", 0.5, span=_PART, since=(3, 3)),
)  # fmt: skip
