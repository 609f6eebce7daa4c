"""The five import names are generic, and others use them too: guards that it is ours that are imported."""

import subprocess
import sys
import zipfile
from importlib import import_module
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from tests.architecture.repository import PACKAGES, ROOT, files, relative


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_brings_a_package_of_this_name(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"contactpoint"}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_imported_is_what_lies_here(package: str) -> None:
    assert import_module(package).__file__ == str(ROOT / package / "__init__.py")


def test_domain_lies_beside_cli_wherever_the_command_is_run(tmp_path: Path) -> None:
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "__init__.py").write_text(
        "raise SystemExit('the wrong domain was imported')\n", "utf-8"
    )
    command = Path(sys.executable).with_name("contactpoint")
    ran = subprocess.run([command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_it_cannot_be_published_by_accident() -> None:
    assert "Private :: Do Not Upload" in distribution("contactpoint").metadata.get_all("Classifier", [])


def test_the_wheel_holds_every_file_of_the_five_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = {relative(path) for path in files() if relative(path).split("/")[0] in PACKAGES}
    assert ours <= held, (
        "SQL, TOML and templates are read with importlib.resources: they must be in the wheel"
    )
