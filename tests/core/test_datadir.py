"""One instance holds a data directory; what stands in the way is said plainly."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from firetower.core.datadir import DataDir
from firetower.core.errors import ConfigError


def test_a_second_instance_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    second = DataDir(tmp_path / "data").held()
    told = rf"process {os.getpid()}.*--data-dir"
    with DataDir(tmp_path / "data").held(), pytest.raises(ConfigError, match=told), second:
        pass
    with DataDir(tmp_path / "data").held():  # free again
        pass


def test_a_full_disk_is_named_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(total=10**12, used=10**12 - 1024, free=1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ConfigError, match="0 MiB free, at least 256 MiB"), DataDir(tmp_path).held():
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    inside_a_file = DataDir(tmp_path / "file" / "data").held()
    with pytest.raises(ConfigError, match=r"file/data cannot be used: Not a directory"), inside_a_file:
        pass


def test_passwords_are_private_and_stay_the_same(tmp_path: Path) -> None:
    with DataDir(tmp_path).held() as data:
        first = data.passwords()
        assert data.passwords() == first
        assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
    assert len(set(first.values())) == len(first)
    assert all(len(password) >= 20 for password in first.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs engines as another account")
def test_root_is_told_which_parent_keeps_the_engines_out(tmp_path: Path) -> None:
    from firetower.core.datadir import service_account

    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with DataDir(closed / "data").held() as data, pytest.raises(ConfigError, match=r"nobody.*closed to others"):
        data.folder("postgres", service_account())
