import json
import sys
from itertools import product
from pathlib import Path

import pytest

from faceswapd.children import program
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.options import Chosen, Device, options_for
from faceswapd.engines.facefusion.probe import ProbeError, probe
from faceswapd.engines.facefusion.step import StepTemplate, template
from tests.engines.facefusion.installations import noting_python, starts
from tests.fakes.facefusion_root import make_root

CPU = Device("cpu", ("cpu",))


async def installed(tmp_path: Path, version: str = "3.8.1", python: Path = Path(sys.executable)) -> Installation:
    return await probe(make_root(tmp_path / "root", version=version), python, tmp_path / "cache.json")


@pytest.mark.parametrize(
    ("version", "preset"),
    [
        ("3.1.2", "best"),
        ("4.0.0", "fast"),
        *(
            pytest.param(*one, marks=pytest.mark.deep)
            for one in product(("3.1.2", "3.4.2", "3.8.1", "4.0.0"), ("fast", "best"))
            if one not in (("3.1.2", "best"), ("4.0.0", "fast"))
        ),
    ],
)
async def test_a_job_made_of_the_template_runs(tmp_path: Path, media: Path, version: str, preset: str) -> None:
    installation = await installed(tmp_path, version)
    chosen = options_for(preset, installation, CPU)
    made = await template(installation, chosen, tmp_path / "cache")
    output = tmp_path / "output.png"
    jobs = tmp_path / "jobs"
    for state in ("drafted", "queued", "completed", "failed"):
        (jobs / state).mkdir(parents=True)
    (jobs / "queued" / "a-1.json").write_text(made.job([media / "face.png"], media / "face.png", output))
    ended = await program.run(
        installation.argv("job-run", "a-1", "--jobs-path", str(jobs), "--temp-path", str(tmp_path), *chosen.process),
        cwd=installation.root,
    )
    assert ended.code == 0, ended.err
    assert [path.name for path in (jobs / "completed").iterdir()] == ["a-1.json"]
    assert output.stat().st_size > 1000


async def test_a_job_differs_from_the_template_in_its_files_and_its_part(tmp_path: Path) -> None:
    installation = await installed(tmp_path)
    made = await template(installation, options_for("fast", installation, CPU), tmp_path / "cache")
    one = made.job([Path("/a/1.png"), Path("/a/2.png")], Path("/t/ü b.mp4"), Path("/o/x.mp4"))
    other = made.job(
        [Path("/a/1.png")],
        Path("/t.mp4"),
        Path("/o.mp4"),
        ("--face-selector-mode", "reference", "--trim-frame-start", "5", "--trim-frame-end", "9"),
    )
    first, second = (json.loads(text)["steps"][0]["args"] for text in (one, other))
    assert first["source_paths"] == ["/a/1.png", "/a/2.png"]
    assert (first["target_path"], first["output_path"]) == ("/t/ü b.mp4", "/o/x.mp4")
    assert (second["trim_frame_start"], second["trim_frame_end"]) == (5, 9)
    assert second["face_selector_mode"] == "reference"
    assert {name for name in first if first[name] != second[name]} == {
        "source_paths",
        "target_path",
        "output_path",
        "trim_frame_start",
        "trim_frame_end",
        "face_selector_mode",
    }


async def test_nothing_of_the_asking_process_stays_in_the_step_of_version_4(tmp_path: Path) -> None:
    installation = await installed(tmp_path, "4.0.0")
    made = await template(installation, options_for("fast", installation, CPU), tmp_path / "cache")
    assert not {"config_path", "jobs_path", "temp_path", "log_level"} & json.loads(made.text).keys()
    assert "template" not in made.text


async def test_each_set_of_options_is_asked_for_once(tmp_path: Path) -> None:
    installation = await installed(tmp_path, python=noting_python(tmp_path / "env"))
    chosen = options_for("fast", installation, CPU)
    first = await template(installation, chosen, tmp_path / "cache")
    asked = starts(tmp_path / "env")
    assert await template(installation, chosen, tmp_path / "cache") == first
    assert starts(tmp_path / "env") == asked
    assert await template(installation, options_for("best", installation, CPU), tmp_path / "cache") != first
    (installation.root / "facefusion" / "core.py").touch()
    again = starts(tmp_path / "env")
    assert await template(installation, chosen, tmp_path / "cache") == first
    assert starts(tmp_path / "env") > again


async def test_options_that_facefusion_refuses_are_told(tmp_path: Path) -> None:
    installation = await installed(tmp_path)
    with pytest.raises(ProbeError) as raised:
        await template(installation, Chosen(("--face-swapper-model", "none"), ()), tmp_path / "cache")
    assert raised.value.failure.category == "option_unknown"
    assert not (tmp_path / "cache").exists()


async def test_an_installation_that_writes_no_job_is_told(tmp_path: Path) -> None:
    installation = await installed(tmp_path)
    (installation.root / "facefusion.py").write_text("")
    with pytest.raises(ProbeError) as raised:
        await template(installation, Chosen((), ()), tmp_path / "cache")
    assert raised.value.failure.category == "job_file"


def test_a_job_with_half_a_part_is_no_job() -> None:
    with pytest.raises(ValueError, match="argument"):
        StepTemplate("{}").job([], Path("t"), Path("o"), ("--trim-frame-start",))
