"""The name of an output below the outbox, out of a template.

A template may come from a sidecar, and so from anybody who may leave a file: it names plain placeholders only, no
attribute and no width of theirs, and what it makes stays below the outbox.
"""

import string
from typing import Final

PLACEHOLDERS: Final = ("folder", "name", "suffix", "face", "preset", "job")
_LONGEST: Final = 500  # letters of a template
_DEEPEST: Final = 8  # folders that it makes
_NAME_BYTES: Final = 255  # of one folder's name, on every usual file system
_USUAL: Final = 'the usual one is "{folder}/{name}{suffix}"'


def problem_of(template: str) -> str | None:
    """What is wrong with a template of a sidecar, without its subject; None where it can be used."""
    if len(template) > _LONGEST or template.count("/") > _DEEPEST or template.count("{folder") > 1:
        return f"it is too long; {_USUAL}"
    if not template.isprintable() or "\\" in template:
        return "it holds letters that no file name should have"
    return _strange(template) or _elsewhere(template)


def _strange(template: str) -> str | None:
    """What in it is no plain placeholder."""
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"it cannot be used ({error}); {_USUAL}"
    for _, field, spec, conversion in fields:
        if field is not None and (field not in PLACEHOLDERS or spec or conversion):
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            return f"there is no placeholder {{{field}}} to be used so; use {known}"
    return None


def _elsewhere(template: str) -> str | None:
    """Why it could lead to another place, or to no name."""
    parts = template.split("/")
    if template.startswith("/") or ".." in parts or any(part.startswith((".", "~")) for part in parts):
        return "it must stay below the outbox, in folders and files that are not hidden"
    if not template.endswith("{suffix}") or not parts[-1].removesuffix("{suffix}"):
        return f"it must end in a name and {{suffix}}; {_USUAL}"
    return None


def below(rendered: str) -> str:
    """A rendered template as a path that leads nowhere but down, each folder's name as long as one can be."""
    parts = [part.replace("\0", "") for part in rendered.split("/")]
    kept = [_fitting(part) for part in parts[:-1] if part not in ("", ".", "..")]
    return "/".join([*kept, parts[-1] if parts[-1] not in ("", ".", "..") else "output"])


def _fitting(part: str) -> str:
    while len(part.encode(errors="surrogateescape")) > _NAME_BYTES:
        part = part[:-1]
    return part
