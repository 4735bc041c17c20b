"""Asks an installation which model files it would check for given arguments; runs inside FaceFusion's own Python.

Standard library only, and Python 3.10: nothing of faceswapd is installed there. The working directory is FaceFusion's
folder, the arguments are those of its one-shot command. FaceFusion understands them itself and runs its own
preliminary checks; only the two functions that would look at the files and fetch them are replaced, before the modules
that use them are loaded, by ones that write down what they are asked for. So nothing is fetched, deleted, read or
pinged, and the answer is that of this very version.

    to stdout    {"files": [{"part": "face_swapper", "path": "/.../hyperswap_1a_256.onnx", "urls": ["https://..."],
                             "hash_path": "/.../hyperswap_1a_256.hash", "hash_urls": ["https://..."]}, ...]}

Ends with 3 and one sentence on stderr where this version is built in another way.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

OTHERWISE_BUILT = 3


class Recorder:
    """Writes down what FaceFusion would check."""

    def __init__(self) -> None:
        self.sources: dict[str, tuple[str, list[str]]] = {}  # by path: which part of FaceFusion, and where it lies
        self.hashes: dict[str, list[str]] = {}  # by path
        self._others: dict[str, list[str]] = {}  # by the first address of a file: all of them

    def replace(self, download: Any, choices: Any, state: Any) -> None:
        """Put the recorders where the others will import them from."""
        providers: Mapping[str, Mapping[str, Any]] = getattr(choices, "download_provider_set", {})

        def all_urls(provider: str, base_name: str, file_name: str) -> list[str]:
            known = providers.get(provider, {})
            hosts = known.get("urls") or [known["url"]] if known else []
            return [host + known["path"].format(base_name=base_name, file_name=file_name) for host in hosts]

        def by_provider(provider: str, base_name: str, file_name: str) -> "str | None":
            return self._first(all_urls(provider, base_name, file_name))

        def by_any(base_name: str, file_name: str) -> "str | None":
            wanted = list(state.get_item("download_providers") or []) if hasattr(state, "get_item") else []
            order = dict.fromkeys([*wanted, *providers])  # the user's choice first
            return self._first([url for provider in order for url in all_urls(provider, base_name, file_name)])

        download.conditional_download_hashes = self._hashes
        download.conditional_download_sources = self._sources
        download.resolve_download_url = by_any
        download.resolve_download_url_by_provider = by_provider

    def _first(self, urls: list[str]) -> "str | None":
        """The address that FaceFusion keeps; the others are found again by it."""
        if not urls:
            return None
        self._others[urls[0]] = urls
        return urls[0]

    def _hashes(self, *given: Any) -> bool:
        """Version 3.0 gives a folder and the set of files, later ones the set alone."""
        for one in given[-1].values():
            self.hashes[one["path"]] = self._urls(one)
        return True

    def _sources(self, *given: Any) -> bool:
        part = _part_of(sys._getframe(1).f_globals.get("__name__", ""))  # noqa: SLF001  who asks is told nowhere else
        for one in given[-1].values():
            self.sources.setdefault(one["path"], (part, self._urls(one)))
        return True

    def _urls(self, one: Mapping[str, Any]) -> list[str]:
        url = one.get("url")
        return self._others.get(url, [url]) if url else []


def _part_of(module: str) -> str:
    """`facefusion.processors.modules.face_swapper.core` is the face_swapper."""
    return module.removesuffix(".core").rpartition(".")[2]


def main() -> None:
    """Ask, and print the answer."""
    arguments = sys.argv[1:]
    sys.path[0] = str(Path.cwd())  # instead of this file's folder, whose names are none of FaceFusion's business
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    recorder = Recorder()
    try:
        choices: Any = importlib.import_module("facefusion.choices")
        download: Any = importlib.import_module("facefusion.download")
        for name in ("conditional_download_hashes", "conditional_download_sources"):
            _demanded(download, name)
        recorder.replace(download, choices, importlib.import_module("facefusion.state_manager"))
        core: Any = importlib.import_module("facefusion.core")
        checks = [_demanded(core, name) for name in ("common_pre_check", "processors_pre_check")]
        cli = _demanded(core, "cli")
        _demanded(core, "route")
    except ImportError as error:
        if not (error.name or "").startswith("facefusion"):
            raise  # its surroundings are broken
        _end(f"This FaceFusion has no part of that name: {error}.")
    asked: list[bool] = []

    def route(_args: object) -> None:
        for check in checks:
            check()
        asked.append(True)

    core.route = route  # instead of the command itself, once the arguments are understood
    sys.argv = ["facefusion.py", *arguments]
    cli()
    if not asked or not recorder.sources:
        _end("This FaceFusion checks no model files before it runs.")
    files = [
        {
            "part": part,
            "path": path,
            "urls": urls,
            "hash_path": _hash_path(path),
            "hash_urls": recorder.hashes.get(_hash_path(path), []),
        }
        for path, (part, urls) in recorder.sources.items()
    ]
    json.dump({"files": files}, answer)
    answer.flush()


def _demanded(module: Any, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        _end(f"This FaceFusion has no {module.__name__}.{name}.")
    return found  # type: ignore[no-any-return]


def _hash_path(path: str) -> str:
    """Where FaceFusion looks for a model's checksum."""
    return os.path.splitext(path)[0] + ".hash"  # noqa: PTH122  with_suffix refuses names that this allows


def _end(sentence: str) -> NoReturn:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
    os._exit(OTHERWISE_BUILT)


if __name__ == "__main__":
    main()
