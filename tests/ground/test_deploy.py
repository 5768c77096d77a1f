"""The service file and the container file: without root, with one folder to write to, and as their own tools want them."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT, IMAGE = ROOT / "deploy" / "crosstalk.service", ROOT / "Containerfile"


def service() -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(strict=True, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parsed.read(UNIT, encoding="utf-8")
    return parsed["Service"]


def steps() -> list[tuple[str, str]]:
    """The instructions of the container file with what follows them, comments left out."""
    lines = [line for line in IMAGE.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def test_the_service_runs_without_root_and_writes_to_its_own_folder_alone() -> None:
    found = service()
    assert found["User"] not in {"", "root", "0"}
    assert found["WorkingDirectory"] == f"/var/lib/{found['StateDirectory']}"
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"):
        assert found[name] == "yes"
    assert (found["ProtectSystem"], found["CapabilityBoundingSet"], found["UMask"]) == ("strict", "", "0077")
    assert "ReadWritePaths" not in found


def test_the_service_is_given_the_time_to_stop_and_not_started_again_on_wrong_settings() -> None:
    found = service()
    assert int(found["TimeoutStopSec"]) > 10
    assert (found["Restart"], found["RestartPreventExitStatus"]) == ("on-failure", "2")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8").replace("/opt/crosstalk/.venv/bin/python", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    # What other units of this machine have wrong is theirs.
    assert [line for line in run.stderr.splitlines() if UNIT.name in line] == []
    assert run.returncode == 0


def test_the_image_is_built_on_a_digest_and_runs_without_root() -> None:
    done = steps()
    bases = [words for name, words in done if name == "FROM"]
    assert all(re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", base) for base in bases)
    names = [name for name, _ in done]
    assert names[-1] == "CMD"
    assert "ADD" not in names
    [user] = [words for name, words in done if name == "USER"]
    assert user not in {"root", "0"}
    assert names.index("USER") > max(index for index, name in enumerate(names) if name in {"RUN", "COPY"})
    assert any("--require-hashes" in words for name, words in done if name == "RUN")
