import os
from pathlib import Path
from typing import Any

import pytest

from faceswapd.core.presets import PresetSpec
from faceswapd.settings import Problem, Settings, SettingsError, load, unknown_variables


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FACESWAPD_"):
            monkeypatch.delenv(name)


def read(folder: Path, text: str) -> Settings:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder / "config.toml")


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return caught.value.problems


def problem(folder: Path, text: str) -> Problem:
    (one,) = problems(folder, text)
    return one


def test_a_preset_of_ones_own_is_known_by_its_name_with_its_options_as_the_command_line_says_them(
    tmp_path: Path,
) -> None:
    settings = read(
        tmp_path,
        """
        [[inbox]]
        path = "in"
        preset = "portrait"
        [[preset]]
        name = "portrait"
        base = "best"
        options = { face_swapper_pixel_boost = "1024x1024", face_mask_blur = 0.3, face_mask_types = ["box", "region"] }
        """,
    )
    assert settings.preset_names() == ("fast", "balanced", "best", "portrait")
    assert settings.preset_spec("portrait") == PresetSpec(
        "portrait",
        "best",
        (("face_mask_blur", "0.3"), ("face_mask_types", "box region"), ("face_swapper_pixel_boost", "1024x1024")),
    )
    assert settings.preset_spec("fast") == PresetSpec("fast", "fast")
    assert settings.preset_spec("gone") is None


def test_an_installation_is_named_relative_to_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, "[engine.facefusion]\nroot = 'ff'\npython = '/usr/bin/python3'\nthreads = 'auto'")
    own = settings.engine.facefusion
    assert (own.root, own.python, own.threads) == (tmp_path / "ff", Path("/usr/bin/python3"), None)


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings.outbox == tmp_path / "outbox"
    assert [(inbox.name, inbox.path) for inbox in settings.inbox] == [("inbox", tmp_path / "inbox")]
    assert settings.scratch_folder == tmp_path / "state" / "scratch"
    assert settings.socket_path == tmp_path / "state" / "control.sock"


@pytest.mark.parametrize(
    ("text", "line", "sentence", "remedy"),
    [
        ("outbx = 'x'", 1, "There is no setting `outbx` here.", "Did you mean `outbox`?"),
        ("[engine]\nslotz = 2", 2, "There is no setting `slotz` here.", "Did you mean `slots`?"),
        ("slots = 2", 1, "There is no setting `slots` here.", "It belongs under [engine]."),
        ("[retry]\nno_progress = 9", 2, "There is no setting `no_progress` here.", "It belongs under [timeouts]."),
        ("preset = 'best'", 1, "There is no setting `preset` here.", "It belongs under [inbox]."),
        ("[engin]\nslots = 2", 1, "There is no setting `engin` here.", "Did you mean `engine`?"),
        ("[[inbox]]\npath = 'a'\n[[inbox]]\npriorty = 3", 4, "There is no setting `priorty` here.", "Did you mean"),
        ("zzz = 1", 1, "There is no setting `zzz` here.", "Take it out; config.example.toml names all settings."),
        ("_env_prefix = 'X'", 1, "There is no setting `_env_prefix` here.", "Take it out"),
        ("[engine]\nslots = 'many'", 2, "Input should be a valid integer", "See config.example.toml"),
        ("[engine]\nslots = 0", 2, "Input should be greater than or equal to 1 (it is 0).", "See"),
        ("grace = '3 fortnights'", 1, "Write a time as a number of seconds", "See"),
        ("[limits]\nmemory_free = 'lots'", 2, "Could not parse value and unit", "See"),
        ("[[inbox]]\nafterwards = 'eat'", 2, "Input should be 'keep', 'archive' or 'delete' (it is 'eat').", "See"),
        ("[[inbox]]\npreset = 'bset'", 2, "There is no preset 'bset'.", "Use one of: fast, balanced, best."),
        ("outbox = '~nobody-of-this-name/x'", 1, "Nobody of this name has a home folder", "See"),
        ('faces = "a\\u0000b"', 1, "A path cannot hold a zero character", "See"),
        ("output = '{name}'", 1, "The template must stay below the outbox and end in {suffix}.", "The usual one is"),
        ("output = '../{name}{suffix}'", 1, "The template must stay below the outbox", "The usual one is"),
        ("output = '/{name}{suffix}'", 1, "The template must stay below the outbox", "The usual one is"),
        ('output = "{name}\\u0000{suffix}"', 1, "The template must stay below the outbox", "The usual one is"),
        ("output = '{nam}{suffix}'", 1, "The template cannot be used: 'nam'.", "Use {folder}, {name}, {suffix}"),
        ("output = '{name'", 1, "The template cannot be used: ", "Use {folder}"),
        ("outbox = 'inbox/out'", None, "The folder `outbox` (", "Choose one outside of it."),
        (
            "[[inbox]]\npath = 'a'\n[[inbox]]\npath = 'b/a'",
            4,
            "Two inboxes are called 'a'.",
            "Give one of them another `name`.",
        ),
        ("[[inbox]]\npath = 'a'\n[[inbox]]\npath = 'a/b'", 4, "It lies in another inbox.", "Choose a folder outside"),
        ("inbox = []", None, "There is no [[inbox]].", "Add one with its `path`."),
        ("[engine.facefusion]\nrot = '/x'", 2, "There is no setting `rot` here.", "Did you mean `root`?"),
        ("[engine]\nroot = '/x'", 2, "There is no setting `root` here.", "It belongs under [engine.facefusion]."),
        ("[engine.facefusion]\nthreads = 99", 2, "Input should be less than or equal to 32 (it is 99).", "See"),
        ("[engine.facefusion]\nmemory = 'lots'", 2, "Input should be 'strict', 'moderate' or 'tolerant'", "See"),
        ("[[preset]]\nname = 'fast'", 2, "The preset's name 'fast' cannot be used", "Give it another `name`."),
        ("[[preset]]\nname = 'a@b'", 2, "The preset's name 'a@b' cannot be used", "Give it another `name`."),
        ("[[preset]]\n[[preset]]\nbase = 'bset'\nname = 'x'", 3, "There is no preset 'bset' to begin with.", "Use one"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(
    tmp_path: Path, text: str, line: int | None, sentence: str, remedy: str
) -> None:
    found = problem(tmp_path, text)
    assert found.sentence.startswith(sentence)
    assert found.remedy.startswith(remedy)
    place = f"{tmp_path / 'config.toml'}" + ("" if line is None else f", line {line},")
    assert found.where.startswith(place)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "outbx = 'x'\ngrace = 'never'\n[engine]\nslots = -1\n")
    assert len(found) == 3
    assert all(str(one) == f"{one.where}: {one.sentence} {one.remedy}" for one in found)


def test_a_mistake_hides_none_of_another_kind(tmp_path: Path) -> None:
    text = "outbx = 'x'\noutput = '{name}'\n[engine]\nslots = -1\n[[inbox]]\npreset = 'bst'\npriority = 1000\n"
    places = sorted(one.where.partition(", ")[2] for one in problems(tmp_path, text))
    assert places == [
        "line 1, outbx",
        "line 2, output",
        "line 4, engine.slots",
        "line 6, inbox.preset",
        "line 7, inbox.priority",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[[inbox]]\npath = 7\n[[inbox]]\npath = 'inbox'\n",  # the default, which it would get, is the other's
        "outbox = 7\n[[inbox]]\npath = 'outbox'\n",
        "inbox = [7, 'a']\n",
    ],
)
def test_of_a_folder_that_is_not_known_nothing_more_is_said(tmp_path: Path, text: str) -> None:
    assert {one.remedy for one in problems(tmp_path, text)} == {"See config.example.toml for what it takes."}


def test_bad_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    found = problem(tmp_path, "faces = 'x'\noutbox = = 3\n")
    assert found.where == f"{tmp_path / 'config.toml'}, line 2, column 10"


@pytest.mark.parametrize("text", ["[engine", 'faces = "x', "a = 1\na = 2\n"])
def test_whatever_is_wrong_with_the_toml_it_is_one_problem(tmp_path: Path, text: str) -> None:
    assert problem(tmp_path, text).remedy.startswith("Mend ")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    with pytest.raises(SettingsError, match="There is no such file"):
        load(config)
    config.write_bytes(b"faces = '\xff'")
    with pytest.raises(SettingsError, match="It is not UTF-8 text"):
        load(config)
    config.unlink()
    config.mkdir()
    with pytest.raises(SettingsError, match="It cannot be read: Is a directory"):
        load(config)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90", 90), ("0.5", 0.5), ("'90'", 90), ("'90 s'", 90), ("'30 min'", 1800), ("'1.5h'", 5400), ("'1 d'", 86400)],
)
def test_times_are_numbers_or_texts(tmp_path: Path, written: str, seconds: float) -> None:
    assert read(tmp_path, f"grace = {written}").grace == seconds


@pytest.mark.parametrize(
    ("written", "size"), [("1000", 1000), ("'2 GB'", 2_000_000_000), ("'1GiB'", 1 << 30), ("'500 MB'", 500_000_000)]
)
def test_sizes_are_numbers_or_texts(tmp_path: Path, written: str, size: int) -> None:
    assert read(tmp_path, f"[limits]\ndisk_free = {written}").gate_limits().disk_free == size


def test_paths_are_relative_to_the_configuration_and_links_stay_as_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "conf").mkdir()
    text = "faces = '../link/faces'\noutbox = '/srv/out'\ndone = '~/done'\n[[inbox]]\npath = 'drop/here/'\n"
    settings = read(tmp_path / "conf", text)
    assert settings.faces == tmp_path / "link" / "faces"
    assert (settings.outbox, settings.done) == (Path("/srv/out"), Path("/home/ann/done"))
    assert (settings.inbox[0].path, settings.inbox[0].name) == (tmp_path / "conf" / "drop" / "here", "here")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "grace = 5\n[engine]\nslots = 2\nidle = 7\n"
    monkeypatch.setenv("FACESWAPD_GRACE", "2 min")
    monkeypatch.setenv("FACESWAPD_ENGINE__SLOTS", "3")
    monkeypatch.setenv("FACESWAPD_DEFAULT_FACE", "")  # empty is as good as not set
    settings = read(tmp_path, text)
    assert (settings.grace, settings.engine.slots, settings.engine.idle) == (120.0, 3, 7.0)
    monkeypatch.setenv("FACESWAPD_INBOX", '[{"path": "other"}]')
    assert [inbox.path for inbox in read(tmp_path, text).inbox] == [tmp_path / "other"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FACESWAPD_GRACE", "soon", "Write a time as"),
        ("FACESWAPD_ENGINE__SLOTS", "many", "Input should be a valid integer"),
        ("faceswapd_engine__slots", "many", "Input should be a valid integer"),
        ("FACESWAPD_ENGINE", '{"slots": "many"}', "Input should be a valid integer"),
        ("FACESWAPD_ENGINE", "preview", "It is no JSON."),
        ("FACESWAPD_INBOX", "inbox", "It is no JSON."),
        ("FACESWAPD_INBOX", '[{"preset": "bset"}]', "There is no preset 'bset'."),
    ],
)
def test_a_mistake_in_the_environment_is_told_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    found = problem(tmp_path, "grace = 5\n[engine]\nslots = 2\n[[inbox]]\npath = 'inbox'\n")
    assert found.where == f"environment variable {name}"
    assert found.sentence.startswith(sentence)


def test_a_variable_that_is_no_setting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Any] = {
        "FACESWAPD_OUTBX": "`FACESWAPD_OUTBOX`",
        "FACESWAPD_ENGINE__SLOT": "`FACESWAPD_ENGINE__SLOTS`",
    }
    right = ("FACESWAPD_OUTBOX", "FACESWAPD_ENGINE__SLOTS", "FACESWAPD_SOCKET", "FACESWAPD_CONFIG", "FACESWAPD_TEST_X")
    for name in (*wrong, *right):
        monkeypatch.setenv(name, "1")
    assert {one.where.split()[-1]: one.remedy for one in unknown_variables()} == {
        name: f"Did you mean {remedy}?" for name, remedy in wrong.items()
    }
