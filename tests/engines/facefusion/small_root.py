"""A root that checks models the way FaceFusion's modules do, and does nothing else."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from faceswapd.engines.facefusion.installation import Installation

_FILES = {
    "__init__.py": "",
    "state_manager.py": """
STATE = {}


def get_item(name):
    return STATE.get(name)
""",
    "choices.py": """
download_provider_set = {
    "github": {
        "urls": ["https://github.com"],
        "path": "/facefusion/facefusion-assets/releases/download/{base_name}/{file_name}",
    },
    "huggingface": {
        "urls": ["https://huggingface.co", "https://hf-mirror.com"],
        "path": "/facefusion/{base_name}/resolve/main/{file_name}",
    },
}
""",
    "download.py": """
def conditional_download_hashes(hash_set):
    raise SystemExit("it would have fetched something")


def conditional_download_sources(source_set):
    raise SystemExit("it would have fetched something")


def resolve_download_url(base_name, file_name):
    raise SystemExit("it would have asked the network")
""",
    "model.py": """
import os

from facefusion.download import resolve_download_url


def files(name, ending):
    path = os.path.join(os.getcwd(), ".assets", "models", name + ending)
    return {name: {"url": resolve_download_url("models-3.3.0", name + ending), "path": path}}
""",
    "content_analyser.py": """
from facefusion.download import conditional_download_hashes, conditional_download_sources
from facefusion.model import files


def pre_check():
    return conditional_download_hashes(files("nsfw_1", ".hash")) and conditional_download_sources(
        files("nsfw_1", ".onnx")
    )
""",
    "core.py": """
import argparse
import importlib
import sys

from facefusion import content_analyser, download, state_manager
from facefusion.download import conditional_download_sources  # noqa: F401
from facefusion.state_manager import get_item


def cli():
    print("noise on standard output")
    with open("asked", "a") as asked:
        asked.write("x")
    program = argparse.ArgumentParser()
    program.add_argument("command", choices=["run", "headless-run"])
    program.add_argument("--processors", nargs="+", default=["face_swapper"])
    program.add_argument("--download-providers", nargs="+", default=["github", "huggingface"])
    state_manager.STATE.update(vars(program.parse_args()))
    route(state_manager.STATE)


def route(args):
    raise SystemExit("it would have swapped")


def common_pre_check():
    return content_analyser.pre_check()


def processors_pre_check():
    for name in get_item("processors"):
        module = importlib.import_module("facefusion.processors.modules." + name + ".core")
        if not module.pre_check():
            return False
    return True
""",
}
_PROCESSOR = """
from facefusion import content_analyser
from facefusion.download import conditional_download_hashes, conditional_download_sources
from facefusion.model import files


def pre_check():
    hashes, sources = files("{model}", ".hash"), files("{model}", ".onnx")
    if not content_analyser.pre_check():
        return False
    return conditional_download_hashes(hashes) and conditional_download_sources(sources)
"""


def small_root(root: Path, hosts: Sequence[str] = ()) -> Path:
    """Make it, with two processors. Its models lie at `hosts`, if some are given."""
    texts = dict(_FILES)
    for processor, model in (("face_swapper", "swap.1"), ("face_enhancer", "enhance")):
        texts[f"processors/modules/{processor}/core.py"] = _PROCESSOR.format(model=model)
    if hosts:
        places = {"own": {"urls": list(hosts), "path": "/{base_name}/{file_name}"}}
        texts["choices.py"] = f"download_provider_set = {json.dumps(places)}\n"
    for name, text in texts.items():
        path = root / "facefusion" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def installed(root: Path, version: tuple[int, int, int] = (3, 8, 1)) -> Installation:
    """What a probe would tell of it."""
    return Installation(
        root=root,
        python=Path(sys.executable),
        version=version,
        label="FaceFusion " + ".".join(map(str, version)),
        commands=frozenset({"run", "headless-run"} if version < (4, 0, 0) else {"run"}),
        choices={},
        providers=("cpu",),
        encoders=(),
        unaltered=True,
    )
