"""The content of the workshop kit; `make workshop-kit TRY=1` installs from it and runs it offline."""

import re
import subprocess
import tomllib
from pathlib import Path

import kit
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_instructions_are_complete(tmp_path):
    kit.write_instructions(tmp_path)
    for name in ("README.txt", "install.sh", "install.bat"):
        assert not re.search(r"\{\w+\}", (tmp_path / name).read_text()), "a blank was not filled in"
    subprocess.run(["sh", "-n", tmp_path / "install.sh"], check=True)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(kit.EXTRAS["book"].split(",")) <= set(extras)
    assert f"xlutils[{kit.EXTRAS['book']}]" in (tmp_path / "install.sh").read_text()
    assert b"\r\n" in (tmp_path / "install.bat").read_bytes()


def test_only_tracked_files_of_the_book_are_copied(tmp_path, monkeypatch):
    source, target = tmp_path / "source", tmp_path / "kit"
    (source / "_build/html").mkdir(parents=True)
    (source / "_build/html/index.html").write_text("site")
    (source / "sub").mkdir()
    for name in ("a.py", "sub/b.py", "secret.env"):
        (source / name).write_text(name)
    for command in (["init", "-q"], ["add", "a.py", "sub/b.py"]):
        subprocess.run(["git", *command], cwd=source, check=True)
    monkeypatch.setattr(kit, "ROOT", source)
    for _ in range(2):  # a second computer adds to the folder
        kit.copy_book(target)
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert files == ["book/a.py", "book/sub/b.py", "site/index.html"]


def test_a_kit_without_a_site_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="build the book first"):
        kit.copy_book(tmp_path / "kit")
