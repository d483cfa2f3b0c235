"""pyproject.toml, environment.yml and the locks say the same, and name no address."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What conda-forge calls differently, or splits.
CONDA = {"matplotlib-base": "matplotlib", "nbconvert-core": "nbconvert", "python-duckdb": "duckdb"}
LOCKS = {
    "requirements.lock": ("pdf", "dev"),
    "requirements-cluster.lock": ("cluster",),
    "requirements-spark.lock": ("spark",),
}


def wanted(*extras):
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in PROJECT["optional-dependencies"][extra])]
    found = {}
    for text in texts:
        requirement = Requirement(text)
        found[canonicalize_name(requirement.name)] = requirement.specifier
    return found


def locked(name):
    pins = re.findall(r"^([A-Za-z0-9_.\-]+)==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    versions = {}
    for package, version in pins:
        versions.setdefault(canonicalize_name(package), []).append(Version(version))
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_every_dependency_within_its_range(lock):
    pins = locked(lock)
    wrong = {
        name: str(specifier)
        for name, specifier in wanted(*LOCKS[lock]).items()
        if name not in pins or not all(specifier.contains(version) for version in pins[name])
    }
    assert wrong == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_has_a_hash_for_everything_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?:|--index|--find-links|--extra-index|file:", text)


def test_the_environment_for_conda_asks_for_what_pyproject_asks():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = next(part["pip"] for part in listed if isinstance(part, dict))
    texts = [part for part in [*listed, *by_pip] if isinstance(part, str) and part not in {"pip", "-e ."}]
    conda = {}
    for text in texts:
        requirement = Requirement(text.replace("_", "-"))
        conda[canonicalize_name(CONDA.get(requirement.name, requirement.name))] = requirement.specifier
    python = conda.pop("python")
    assert str(python) == PROJECT["requires-python"]
    assert {name: str(specifier) for name, specifier in conda.items()} == {
        name: str(specifier) for name, specifier in wanted("pdf", "dev").items()
    }


def test_the_version_is_said_once_and_the_same():
    import evalkit

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert evalkit.__version__ == PROJECT["version"] == citation["version"]


def test_the_licence_is_the_gpl():
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")[:200]
    assert PROJECT["license"] == "GPL-3.0-or-later"
