from pathlib import Path

import pytest

from faceswapd.engines.facefusion.find import Place, candidates, conda_prefix, find, place, problem_of, python_of


def make_facefusion(root: Path) -> Path:
    for name in ("facefusion.py", "facefusion/core.py", "facefusion/content_analyser.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def make_python(environment: Path, *, conda: bool = False) -> Path:
    python = environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    if conda:
        (environment / "conda-meta").mkdir()
    return python


@pytest.mark.parametrize(
    ("where", "environment"),
    [
        ("farm/facefusion", "farm/facefusion/venv"),
        ("farm/facefusion/facefusion", "farm/facefusion/venv"),
        ("home/facefusion", "home/facefusion/.venv"),
        ("home/FaceFusion", "home/FaceFusion/env"),
        ("home/pinokio/api/facefusion-pinokio.git/facefusion", "home/pinokio/api/facefusion-pinokio.git/.env"),
        ("home/pinokio/api/facefusion.git", "home/pinokio/api/facefusion.git/env"),
        ("home/facefusion", "home/miniconda3/envs/facefusion"),
        ("home/facefusion", "home/anaconda3/envs/facefusion"),
        ("home/facefusion", "home/mambaforge/envs/facefusion"),
        ("home/facefusion", "home/miniforge3/envs/facefusion"),
        ("home/facefusion", "conda/envs/facefusion"),
    ],
)
def test_the_usual_places_are_found_with_their_python(tmp_path: Path, where: str, environment: str) -> None:
    root = make_facefusion(tmp_path / where)
    python = make_python(tmp_path / environment)
    conda = {"CONDA_EXE": str(tmp_path / "conda" / "bin" / "conda")}
    assert find(tmp_path / "farm", tmp_path / "home", conda) == Place(root, python)


def test_where_nothing_lies_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "home" / "facefusion").mkdir(parents=True)
    assert candidates(tmp_path / "farm", tmp_path / "home", {}) == []
    assert find(tmp_path / "farm", tmp_path / "home", {}) is None


def test_the_one_beside_the_farm_goes_before_the_one_at_home(tmp_path: Path) -> None:
    for folder in ("home", "farm"):
        make_python(make_facefusion(tmp_path / folder / "facefusion") / "venv")
    found = candidates(tmp_path / "farm", tmp_path / "home", {})
    assert [one.root for one in found] == [tmp_path / "farm" / "facefusion", tmp_path / "home" / "facefusion"]


def test_a_folder_that_is_reached_twice_is_told_once(tmp_path: Path) -> None:
    root = make_facefusion(tmp_path / "facefusion")
    make_python(root / "venv")
    (tmp_path / "FaceFusion").symlink_to(root)
    assert [one.root for one in candidates(tmp_path, tmp_path, {})] == [root]


def test_one_without_a_python_says_so_and_is_not_taken(tmp_path: Path) -> None:
    root = make_facefusion(tmp_path / "facefusion")
    (root / "venv" / "bin").mkdir(parents=True)
    (root / "venv" / "bin" / "python").touch(mode=0o644)
    (found,) = candidates(tmp_path, tmp_path, {})
    assert found.python is None
    assert "no Python that belongs to it" in str(found.problem)
    assert find(tmp_path, tmp_path, {}) is None


def test_the_environment_inside_goes_before_condas(tmp_path: Path) -> None:
    root = make_facefusion(tmp_path / "facefusion")
    make_python(tmp_path / "miniconda3" / "envs" / "facefusion", conda=True)
    mine = make_python(root / "venv")
    assert python_of(root, tmp_path, {}) == mine


def test_a_strange_environment_beside_the_root_is_not_taken(tmp_path: Path) -> None:
    root = make_facefusion(tmp_path / "home" / "facefusion")
    make_python(tmp_path / "home" / "venv")
    assert python_of(root, tmp_path / "home", {}) is None


def test_a_python_tells_its_conda(tmp_path: Path) -> None:
    assert conda_prefix(make_python(tmp_path / "a", conda=True)) == tmp_path / "a"
    assert conda_prefix(make_python(tmp_path / "b")) is None


def test_what_is_not_facefusion_says_what_is_missing(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "x") == f"{tmp_path}/x does not exist."
    (tmp_path / "file").touch()
    assert problem_of(tmp_path / "file") == f"{tmp_path}/file is not a folder."
    root = make_facefusion(tmp_path / "outer" / "facefusion")
    assert problem_of(root) is None
    assert problem_of(tmp_path / "outer") == (
        f"{tmp_path}/outer is not FaceFusion's folder: there is no facefusion.py in it. Perhaps {root} is meant."
    )
    assert str(problem_of(root / "facefusion")).endswith(f"Perhaps {root} is meant.")
    (root / "facefusion" / "content_analyser.py").unlink()
    assert problem_of(root) == f"{root} is not a whole FaceFusion: facefusion/content_analyser.py is missing."
    assert place(root, tmp_path, {}).problem == problem_of(root)
