"""Every setting, with its default and its meaning. `config.example.toml` is written from the descriptions here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from faceswapd.core.gate import Limits
from faceswapd.core.mounts import How
from faceswapd.core.plan import Timeouts
from faceswapd.core.presets import PRESETS, PresetSpec
from faceswapd.core.retry import RetryPolicy
from faceswapd.core.webhook import EVENTS, Format
from faceswapd.settings.problem import PREFIX

UNITS: Final = {"": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> object:
    """90, "90", "90 s", "30 min", "2 h" or "1 d" as seconds."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", value)
        if match is None or match[2] not in UNITS:
            raise ValueError('write a time as a number of seconds, or like "90 s", "30 min", "2 h"')
        return float(match[1]) * UNITS[match[2]]
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]


def _place(path: Path) -> Path:
    """A path as the system takes it, with ~ made out."""
    if "\0" in str(path):
        raise ValueError("a path cannot hold a zero character")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("nobody of this name has a home folder") from None


Place = Annotated[Path, AfterValidator(_place)]


class Section(BaseModel):
    """A part of the configuration with a header of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _option(value: object) -> object:
    """An option's value as the command line says it: numbers as text, a list with blanks between."""
    if isinstance(value, list):
        return " ".join(str(_option(one)) for one in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


Options = dict[str, Annotated[str, BeforeValidator(_option)]]


class InboxSettings(Section):
    """One folder that is watched for targets."""

    path: Place = Field(Path("inbox"), description="the folder")
    name: str = Field("", description="how it is called in commands; empty: the folder's own name")
    preset: str = Field("balanced", description=f"one of {', '.join(PRESETS)}, or a [[preset]] of your own")
    options: Options = Field({}, description="single options laid over the preset's, for FaceFusion")
    priority: int = Field(0, ge=-100, le=100, description="higher goes first, from -100 to 100")
    afterwards: Literal["keep", "archive", "delete"] = Field(
        "keep", description="what becomes of a target that succeeded: keep, archive (moved to done/) or delete"
    )
    watch: Literal["auto", "events", "polling"] = Field(
        "auto", description="how new files are noticed: events, polling, or auto: polling on a network and on FUSE"
    )

    @property
    def watch_how(self) -> How | None:
        """How it is to be watched; None: as its file system wants it."""
        return None if self.watch == "auto" else How(self.watch)


class IntakeSettings(Section):
    """When a file in an inbox is complete."""

    settle: Seconds = Field(3.0, description="seconds that a file must stay unchanged")
    rescan: Seconds = Field(60.0, ge=1, description="seconds between two looks at the folders when no event comes")
    poll: Seconds = Field(5.0, ge=0.5, description="seconds between two looks at a folder whose events tell nothing")


class PresetSettings(Section):
    """A preset of your own."""

    name: str = Field("portrait", description="its name, as a file or an inbox asks for it")
    base: str = Field("balanced", description=f"the preset that it begins with: {', '.join(PRESETS)}")
    options: Options = Field({}, description="what is different, in FaceFusion's words")


def _or_auto(value: object) -> object:
    """`auto` is None: chosen by what the machine has."""
    return None if value == "auto" else value


AUTO: Final = "auto"
SlotCount = Annotated[int, Field(ge=1, le=64)]
ThreadCount = Annotated[int, Field(ge=1, le=32)]
DeviceId = Annotated[int, Field(ge=0, le=63)]


class FaceFusionSettings(Section):
    """FaceFusion, the engine for real work."""

    root: Place | None = Field(None, description="its folder, with facefusion.py in it", examples=["~/facefusion"])
    python: Place | None = Field(None, description="its own Python", examples=["~/facefusion/venv/bin/python"])
    level: Literal["warm", "batch", "cold"] = Field(
        "warm", description="warm, batch or cold: how it is driven; the next one is taken where one does not work"
    )
    providers: Annotated[tuple[str, ...] | None, BeforeValidator(_or_auto)] = Field(
        None,
        description='execution providers, e.g. ["cuda", "cpu"]; auto: the fastest that truly runs',
        examples=[AUTO],
    )
    device_ids: Annotated[tuple[DeviceId, ...] | None, BeforeValidator(_or_auto)] = Field(
        None, description="numbers of the graphics cards that are used; auto: all", examples=[AUTO]
    )
    threads: Annotated[ThreadCount | None, BeforeValidator(_or_auto)] = Field(
        None, description="threads of one execution; auto: by the device and its memory", examples=[AUTO]
    )
    memory: Annotated[Literal["strict", "moderate", "tolerant"] | None, BeforeValidator(_or_auto)] = Field(
        None,
        description="strict, moderate or tolerant: how many models stay loaded; auto: by the memory",
        examples=[AUTO],
    )
    downloads: bool = Field(True, description="whether models that a preset lacks are fetched by themselves")


class EngineSettings(Section):
    """What swaps."""

    name: Literal["auto", "facefusion", "preview"] = Field(
        "auto", description="auto (FaceFusion where one is found, else preview), facefusion or preview (built in)"
    )
    slots: Annotated[SlotCount | None, BeforeValidator(_or_auto)] = Field(
        None,
        description="how many executions run at the same time; auto: one for each graphics card, else one",
        examples=[AUTO],
    )
    memory_max: Annotated[ByteSize | None, BeforeValidator(_or_auto)] = Field(
        None,
        description="memory that one execution may hold, where systemd lets us limit it; auto: its share of what "
        "limits.memory_free leaves",
        examples=[AUTO],
    )
    idle: Seconds = Field(300.0, description="seconds after which an engine that has nothing to do is ended")
    patience: int = Field(
        20, ge=0, le=10_000, description="how often a job is passed by others with the face and preset that is loaded"
    )
    facefusion: FaceFusionSettings = FaceFusionSettings()

    @property
    def slot_count(self) -> int:
        """Slots where no graphics cards are counted."""
        return self.slots or 1


class LimitSettings(Section):
    """What must be left of the machine before something new starts. 0 switches a limit off."""

    cpu_percent: float = Field(95.0, ge=0, le=100, description="per cent of all cores that other programs may use")
    load_per_core: float = Field(0.0, ge=0, description="1-minute load for each core; our own work counts in it")
    memory_free: ByteSize = Field(ByteSize(512_000_000), description="memory that must be free")
    disk_free: ByteSize = Field(ByteSize(512_000_000), description="space that each disk we write to must have free")
    gpu_free: ByteSize = Field(ByteSize(0), description="memory that each NVIDIA GPU must have free")


class TimeoutSettings(Section):
    """When a running execution is stopped."""

    first_output: Seconds = Field(600.0, ge=1, description="seconds to the first sign of life; models are loaded then")
    no_progress: Seconds = Field(120.0, ge=1, description="seconds without a new frame")
    download: Seconds = Field(120.0, ge=1, description="seconds in which nothing of a model arrives")
    wall: Seconds = Field(1800.0, ge=1, description="seconds for a target of unknown or short length")
    wall_per_frame: Seconds = Field(5.0, description="seconds for each frame of a long video")
    wall_factor: float = Field(10.0, ge=1, description="how many times as long as past ones an execution may run")


class RetrySettings(Section):
    """What happens after a failure that trying again can mend."""

    attempts: int = Field(3, ge=1, le=100, description="how often a job is tried in all")
    first: Seconds = Field(10.0, description="seconds before the second attempt")
    factor: float = Field(4.0, ge=1, description="by which each further wait is longer")
    longest: Seconds = Field(900.0, description="seconds that a wait is at most")


class HttpSettings(Section):
    """The API on a TCP port, beside the control socket. Whoever asks there needs the token."""

    enabled: bool = Field(False, description="whether it is there")
    address: str = Field("127.0.0.1", description="where it listens; 127.0.0.1 is this machine alone")
    port: int = Field(8787, ge=0, le=65535, description="its port; 0: any that is free")
    hosts: tuple[str, ...] = Field(
        (), description='names, beside localhost, by which it is reached, e.g. ["studio.example"]'
    )
    behind_proxy: bool = Field(False, description="whether a proxy with TLS of its own stands before it")
    certificate: Place | None = Field(None, description="a TLS certificate (PEM)", examples=["tls/certificate.pem"])
    key: Place | None = Field(None, description="its key (PEM)", examples=["tls/key.pem"])


class WebhookSettings(Section):
    """Where what happens is told to another program, by HTTP."""

    url: str = Field("", repr=False, description="where to", examples=["https://example.com/hooks/faceswapd"])
    name: str = Field("", description="how it is called; empty: the host of its address")
    secret: str = Field(
        "",
        repr=False,
        description="what its messages are signed with",
        examples=["whsec_..."],
    )
    secret_file: Place | None = Field(
        None, description="a file with the secret, instead of it", examples=["webhook.secret"]
    )
    format: Format = Field("standard", description="standard, slack, text (such as for ntfy) or apprise")
    events: tuple[str, ...] = Field(EVENTS, description="what it is told")
    allow_private: bool = Field(False, description="whether it may lie on this machine or in a private network")


class NotifySettings(Section):
    """Notifications on the desktop of whoever runs the daemon."""

    desktop: bool = Field(False, description="whether they are shown: when the queue is empty, and when it is held")


class UploadSettings(Section):
    """Files that are sent to the API, and lie below the state folder."""

    enabled: bool = Field(True, description="whether they are taken")
    largest: ByteSize = Field(ByteSize(5_000_000_000), description="how large a target may be", examples=["5 GB"])
    most_photos: int = Field(20, ge=1, le=50, description="how many photos may come with one target")
    kept: Seconds = Field(
        7 * 86400.0, description="how long after its job has ended a target is kept; 0: never removed", examples=["7 d"]
    )


class RetentionSettings(Section):
    """How long what has ended is remembered; 0 is for ever. Jobs stay: they keep a target from being swapped twice."""

    events: Seconds = Field(90 * 86400.0, description="the history of ended jobs", examples=["90 d"])
    executions: Seconds = Field(
        90 * 86400.0, description="earlier attempts of ended jobs, and the logs of all", examples=["90 d"]
    )
    done: Seconds = Field(0.0, description='targets that afterwards = "archive" has moved to done/; 0: never removed')


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    faces: Place = Field(Path("faces"), description="one folder (or one photo) for each person")
    outbox: Place = Field(Path("outbox"), description="where the results go")
    failed: Place = Field(Path("failed"), description="where a text says why a target failed")
    done: Place = Field(Path("done"), description='where targets are moved to with afterwards = "archive"')
    state: Place = Field(Path("state"), description="the ledger, the log, the control socket and the scratch folder")
    scratch: Place | None = Field(
        None, description="where outputs are made; best on the outbox's disk", examples=["state/scratch"]
    )
    socket: Place | None = Field(None, description="the control socket", examples=["state/control.sock"])
    default_face: str = Field("", description="the face of a target that names none; empty: such a target is parked")
    output: str = Field(
        "{folder}/{name}{suffix}",
        description="name of a result below the outbox; also {face}, {preset} and {job}",
    )
    grace: Seconds = Field(60.0, description="seconds that running executions may go on when the daemon is stopped")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    inbox: tuple[InboxSettings, ...] = Field((InboxSettings(),), description="the folders that are watched")
    preset: tuple[PresetSettings, ...] = Field((), description="presets of your own")
    webhook: tuple[WebhookSettings, ...] = Field((), description="programs that are told what happens")
    intake: IntakeSettings = IntakeSettings()
    engine: EngineSettings = EngineSettings()
    limits: LimitSettings = LimitSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    retry: RetrySettings = RetrySettings()
    retention: RetentionSettings = RetentionSettings()
    http: HttpSettings = HttpSettings()
    notify: NotifySettings = NotifySettings()
    uploads: UploadSettings = UploadSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which is handed in as the arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def scratch_folder(self) -> Path:
        """Where executions work."""
        return self.scratch or self.state / "scratch"

    @property
    def socket_path(self) -> Path:
        """Where the control socket is wanted."""
        return self.socket or self.state / "control.sock"

    @property
    def token_path(self) -> Path:
        """What opens the TCP port."""
        return self.state / "token"

    @property
    def uploads_folder(self) -> Path:
        """Where files that are handed over by the API lie."""
        return self.state.absolute() / "uploads"

    @property
    def ledger_path(self) -> Path:
        """The SQLite file."""
        return self.state / "ledger.sqlite3"

    def gate_limits(self) -> Limits:
        """The gate's policy."""
        limits = self.limits
        return Limits(
            limits.cpu_percent,
            limits.load_per_core,
            int(limits.memory_free),
            int(limits.disk_free),
            int(limits.gpu_free),
        )

    def plan_timeouts(self) -> Timeouts:
        """The scheduler's policy."""
        times = self.timeouts
        return Timeouts(
            times.first_output, times.no_progress, times.download, times.wall, times.wall_per_frame, times.wall_factor
        )

    def preset_names(self) -> tuple[str, ...]:
        """All presets, built in and of the user's own."""
        return (*PRESETS, *(preset.name for preset in self.preset))

    def preset_spec(self, name: str) -> PresetSpec | None:
        """A preset by its name; None for one that does not exist (any more)."""
        if name in PRESETS:
            return PresetSpec(name, name)
        own = next((preset for preset in self.preset if preset.name == name), None)
        return None if own is None else PresetSpec(name, own.base, tuple(sorted(own.options.items())))

    def retry_policy(self) -> RetryPolicy:
        """The retry policy."""
        return RetryPolicy(self.retry.attempts, self.retry.first, self.retry.factor, self.retry.longest)


def section_of(annotation: object) -> type[Section] | None:
    """The section that a field of Settings is; None for a plain value."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


REPEATED: Final[Mapping[str, type[Section]]] = {
    "inbox": InboxSettings,
    "preset": PresetSettings,
    "webhook": WebhookSettings,
}


def locations() -> list[tuple[str, ...]]:
    """Every key, with its section."""
    found = list(_keys(Settings, ()))
    return found + [(name, key) for name, section in REPEATED.items() for key in section.model_fields]


def _keys(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, info in model.model_fields.items():
        section = section_of(info.annotation)
        if section is None:
            yield (*above, name)
        else:
            yield from _keys(section, (*above, name))
