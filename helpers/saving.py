"""Files that are whole or not there: what is written goes to a new place first and then takes the old one's name.

A full disk or Ctrl-C in the middle leaves the earlier save as it was.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from helpers.language import say

LITTER = {".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"}


@contextlib.contextmanager
def replacing(folder, own, mark):
    """A new folder to write into, which takes the place of `folder` when everything in it is written, else vanishes.

    Args:
        folder: str or Path; new, empty, or one that an earlier save wrote (which is replaced).
        own: paths (str, inside the folder, with "/") of the files and folders that a save may have left there. Anything else
            is the reader's and is not deleted.
        mark: str, the one of them by which an earlier save is known; a folder without it is not replaced.

    Raises:
        ValueError: the folder holds something else, or is a file.
        OSError: it could not be written; `folder` is as it was. The line names the fix where the disk is full or the place locked.
    """
    folder = Path(folder).expanduser().resolve()
    try:
        other = _not_ours(folder, own, mark)
        if other:
            raise ValueError(say(
                f"{folder} holds something else ({other}), which saving would delete: choose a new or empty folder.",
                f"{folder}에 다른 것({other})이 있어 저장하면 지워집니다: 새 폴더나 빈 폴더를 고르세요.",
            ))
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Hidden names of their own beside it: a rename stays on one disk, and no folder of the reader's is touched.
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise (_full_disk(folder) if is_disk_full(error) else locked(folder) if is_locked(error) else error) from None
    partial.chmod(0o755)  # mkdtemp keeps others out
    try:
        yield partial
        if folder.exists():
            _exchange(partial, folder)
        else:
            os.rename(partial, folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise (_full_disk(folder) if is_disk_full(error) else error)


def _not_ours(folder, own, mark):
    """Something in the folder that no save of this kind wrote (str); None where it is new, empty or an earlier save."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        return folder.name
    foreign = _first_foreign(folder, own)
    if foreign or (folder / mark).is_file():
        return foreign
    return next((path.name for path in _without_litter(folder)), None)


def _without_litter(folder):
    """What lies in a folder, sorted, but not what a file manager or Jupyter leaves in each that it shows."""
    return sorted(path for path in folder.iterdir() if path.name not in LITTER)


def _first_foreign(folder, own, inside=""):
    for path in _without_litter(folder):
        name = inside + path.name
        deeper = _first_foreign(path, own, name + "/") if name in own and path.is_dir() and not path.is_symlink() else None
        if name not in own or deeper:
            return deeper or name
    return None


def _exchange(new, folder):
    """Put `new` in the place of `folder`; where that fails, `folder` is back."""
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    os.rmdir(old)
    try:
        os.rename(folder, old)
        os.rename(new, folder)
    except BaseException:  # Ctrl-C, too
        if not folder.exists():
            os.rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_weights(path, arrays):
    """Write {name: array} as safetensors: to a new file, then renamed over the old one.

    Raises:
        OSError: it could not be written; what stood at `path` is as it was.
    """
    from safetensors.numpy import save_file

    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch()
        readers = partial.stat().st_mode  # of any new file; safetensors lets only the owner read what it writes
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)
        partial.chmod(readers)
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        raise (_full_disk(path) if is_disk_full(error) else error)


def is_disk_full(error):
    """Does this error say so? Libraries word the system's error into exceptions of their own."""
    codes = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
    words = [spelt for code in codes for spelt in (f"os error {code}", f"Errno {code}", os.strerror(code))]
    return getattr(error, "errno", None) in codes or any(spelt in str(error) for spelt in words)


def is_locked(error):
    """Does this error say that a place cannot be written to: no right, a read-only disk, or a file where a folder should be?"""
    return isinstance(error, (PermissionError, NotADirectoryError, FileExistsError)) or getattr(error, "errno", None) == errno.EROFS


def locked(folder):
    """The error that says so."""
    return PermissionError(say(
        f"{folder} cannot be written to: choose a folder of your own.",
        f"{folder}에 쓸 수 없습니다: 쓸 수 있는 다른 폴더를 고르세요.",
    ))


def _full_disk(path):
    return OSError(errno.ENOSPC, say(
        f"The disk is full: nothing was written to {path}, what stood there before is whole. Free some room and save again.",
        f"디스크가 가득 찼습니다: {path}에 아무것도 쓰지 않았고 전에 있던 것은 그대로입니다. 자리를 비우고 다시 저장하세요.",
    ))


def read_weights(path):
    """{name: array} of a file that `write_weights` wrote.

    Raises:
        OSError: it is missing or may not be read; names the file.
        SafetensorError: it is damaged.
    """
    from safetensors.numpy import load_file

    with open(path, "rb"):  # safetensors calls missing whatever it cannot open
        pass
    return load_file(path)


def write_text(path, text):
    """Write a text file, UTF-8: as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, content):
    """Write a file: to a new one, then renamed over the old one.

    Raises:
        OSError: it could not be written; what stood at `path` is as it was.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        raise (_full_disk(path) if is_disk_full(error) else error)
