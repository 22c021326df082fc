"""What is saved is whole, and nothing else beside it is touched."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from helpers import saving


def save(folder, text):
    with saving.replacing(folder, {"file.txt", "inner", "inner/file.txt"}, "file.txt") as partial:
        (partial / "inner").mkdir()
        for name in ("file.txt", "inner/file.txt"):
            (partial / name).write_text(text, encoding="utf-8")


def test_a_save_takes_the_place_of_the_earlier_one(tmp_path):
    for text in ("one", "two"):
        save(tmp_path / "deep" / "encoder", text)
    assert (tmp_path / "deep" / "encoder" / "file.txt").read_text("utf-8") == "two"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["encoder"]


def test_folders_of_the_reader_s_own_stay(tmp_path):
    for name in ("encoder.old", "encoder.partial", "encoder"):
        save(tmp_path / name, name)
    save(tmp_path / "encoder", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder", "encoder.old", "encoder.partial"]
    assert (tmp_path / "encoder.old" / "file.txt").read_text("utf-8") == "encoder.old"


@pytest.mark.parametrize("place", ["thesis", "thesis/chapter.txt"])
def test_what_is_the_reader_s_is_not_deleted(tmp_path, place):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"thesis.* holds something else \(chapter.txt\)"):
        save(tmp_path / place, "new")
    assert (tmp_path / "thesis" / "chapter.txt").read_text("utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_what_is_the_reader_s_inside_a_folder_of_ours_is_not_deleted(tmp_path):
    save(tmp_path / "encoder", "one")
    (tmp_path / "encoder" / "inner" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"holds something else \(inner/mine.txt\)"):
        save(tmp_path / "encoder", "two")
    assert (tmp_path / "encoder" / "inner" / "mine.txt").read_text("utf-8") == "mine"


def test_a_folder_without_our_mark_is_not_replaced(tmp_path):
    (tmp_path / "another" / "inner").mkdir(parents=True)
    (tmp_path / "another" / "inner" / "file.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"another holds something else \(inner\)"):
        save(tmp_path / "another", "new")
    assert (tmp_path / "another" / "inner" / "file.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("litter", [".DS_Store", "Thumbs.db", "inner/desktop.ini", ".ipynb_checkpoints/file-checkpoint.txt"])
def test_what_a_file_manager_or_jupyter_leaves_is_no_obstacle(tmp_path, litter):
    save(tmp_path / "encoder", "one")
    (tmp_path / "encoder" / litter).parent.mkdir(exist_ok=True)
    (tmp_path / "encoder" / litter).write_text("litter", encoding="utf-8")
    save(tmp_path / "encoder", "two")
    assert (tmp_path / "encoder" / "file.txt").read_text("utf-8") == "two"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".DS_Store").touch()
    save(tmp_path / "new", "one")


@pytest.mark.parametrize("place", ["file/encoder", "file/deep/encoder"])
def test_a_file_in_the_way_is_named_with_the_fix(tmp_path, place):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OSError, match=rf"^\S*{place} cannot be written to: choose a folder of your own\.$"):
        save(tmp_path / place, "new")
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def test_a_read_only_disk_is_named_with_the_fix(tmp_path, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", "/somewhere")

    monkeypatch.setattr(saving.tempfile, "mkdtemp", read_only)
    with pytest.raises(OSError, match=r"^\S*encoder cannot be written to: choose a folder of your own\.$"):
        save(tmp_path / "encoder", "new")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interruption_leaves_the_earlier_save(tmp_path, error):
    save(tmp_path / "encoder", "one")
    with pytest.raises(type(error)):
        with saving.replacing(tmp_path / "encoder", {"file.txt", "inner", "inner/file.txt"}, "file.txt") as partial:
            (partial / "file.txt").write_text("half", encoding="utf-8")
            raise error
    assert (tmp_path / "encoder" / "file.txt").read_text("utf-8") == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def test_weights_may_be_read_by_whoever_may_read_a_text(tmp_path):
    saving.write_text(tmp_path / "text", "one")
    (tmp_path / "weights.partial").touch(0o600)  # what an earlier try left
    saving.write_weights(tmp_path / "weights", {"one": np.ones(1, "float32")})
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "text").stat().st_mode


@pytest.mark.parametrize("error", [PermissionError("a file in it is open"), KeyboardInterrupt()])
@pytest.mark.parametrize("moved", [False, True])
def test_a_rename_that_fails_puts_the_earlier_save_back(tmp_path, monkeypatch, error, moved):
    save(tmp_path / "encoder", "one")
    rename, calls = os.rename, []

    def fails(source, target):
        calls.append(Path(target).name)
        if not moved and len(calls) == 2:  # instead of the new one's move
            raise error
        rename(source, target)
        if moved and len(calls) == 1:  # right after the old one's
            raise error

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(type(error)):
        save(tmp_path / "encoder", "two")
    assert (tmp_path / "encoder" / "file.txt").read_text("utf-8") == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]
