"""Which model a name stands for, and the folder on this computer that it loads from.

    checkpoint = checkpoints.resolve("bert-large-uncased")
    model = TFBertForMaskedLM.from_pretrained(checkpoint)

Two tiers. *reference*: the document's own checkpoints, each pinned to one revision, downloaded only when asked for.
*pocket*: two small BERTs in `models/` that come with the course and stand in for them, so that every lesson runs offline.
`COURSE_MODELS` chooses: `auto` (the reference where it is downloaded, else the stand-in), `pocket` or `reference`.

    python -m helpers.checkpoints list
    python -m helpers.checkpoints download bert-large-uncased
"""

from __future__ import annotations  # so that an older Python can read `str | None` and be told that it is too old

import contextlib
import difflib
import errno
import hashlib
import json
import os
import shutil
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers import download as downloads
from helpers import saving
from helpers.language import say

TIERS = ("auto", "pocket", "reference")
REQUIRED_FILES = ("config.json", "vocab.txt", "model.safetensors")  # never a pickle
OPTIONAL_FILES = ("tokenizer_config.json", "tokenizer.json", "special_tokens_map.json")
MODEL_FILE = "model.safetensors"
SUMS_FILE = "SHA256SUMS"
READ_AT_ONCE = 1 << 20  # bytes


@dataclass(frozen=True)
class Checkpoint:
    """One name that `resolve` knows.

    Attributes:
        name: str, as the Hugging Face Hub spells it; of a pocket model, its folder in `models/`.
        revision: str, the commit the course is pinned to; None for a pocket model, which `models/SHA256SUMS` pins.
        task: str, the Hub's names of what the course uses it for.
        stand_in: str, the pocket model that takes its place offline; None for a pocket model.
    """

    name: str
    revision: str | None
    task: str
    stand_in: str | None


CHECKPOINTS = {
    checkpoint.name: checkpoint
    for checkpoint in (
        Checkpoint("bert-large-uncased", "6da4b6a26a1877e173fca3225479512db81a5e5b", "fill-mask", "pocket-english"),
        Checkpoint("bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594", "next-sentence", "pocket-english"),
        Checkpoint("klue/bert-base", "77c8b3d707df785034b4e50f2da5d37be5f0f546", "fill-mask, next-sentence", "pocket-korean"),
        Checkpoint("pocket-english", None, "fill-mask, next-sentence", None),
        Checkpoint("pocket-korean", None, "fill-mask, next-sentence", None),
    )
}


class CheckpointError(OSError):
    """A checkpoint is not here, or not what it should be; the message names the fix."""


# --- which folder ------------------------------------------------------------------------------------------------


def resolve(name):
    """The folder on this computer that a checkpoint loads from; says so, once, when it is a stand-in. Uses no network.

    Args:
        name: str, one of `CHECKPOINTS`.

    Returns:
        str, a folder for `from_pretrained`.

    Raises:
        ValueError: an unknown name, or a `COURSE_MODELS` that is none of auto, pocket, reference.
        CheckpointError: the files are missing, truncated or altered.
    """
    folder, stand_in = locate(name)
    if stand_in and name not in _announced:
        print(announcement(name, folder))
        _announced.add(name)
    return folder


_announced = set()


def locate(name):
    """`resolve` without the announcement.

    Returns:
        (str, bool): the folder, and whether it holds a stand-in for `name`.
    """
    checkpoint = known(name)
    tier = _tier()
    if checkpoint.stand_in is None:
        return _pocket(checkpoint.name), False
    problem = None if tier == "pocket" else _reference_problem(checkpoint)
    if tier != "pocket" and problem is None:
        return str(_snapshot(checkpoint)), False
    if tier == "reference":
        raise CheckpointError(say(
            f"{name} {problem}. Get it: python -m helpers.checkpoints download {name} "
            f"(or set COURSE_MODELS=auto to work with the small {checkpoint.stand_in}).",
            f"{name}: {problem}. 받으려면: python -m helpers.checkpoints download {name} "
            f"(COURSE_MODELS=auto로 두면 작은 {checkpoint.stand_in} 모델로 할 수 있습니다).",
        ))
    return _pocket(checkpoint.stand_in), True


def known(name):
    """The `Checkpoint` of a name.

    Raises:
        ValueError: there is none; the message lists the names and the closest one.
    """
    if isinstance(name, str) and name in CHECKPOINTS:
        return CHECKPOINTS[name]
    close = difflib.get_close_matches(str(name).lower(), CHECKPOINTS, n=1, cutoff=0.5)
    names = ", ".join(CHECKPOINTS)
    raise ValueError(say(
        f"Unknown checkpoint {name!r}. " + (f"Did you mean {close[0]!r}? " if close else "") + f"The course knows: {names}.",
        f"{name!r}: 모르는 체크포인트입니다. " + (f"혹시 {close[0]!r}인가요? " if close else "") + f"쓸 수 있는 이름: {names}.",
    ))


def is_stand_in(folder):
    """Does this folder (what `resolve` returned) hold a pocket model?"""
    checkpoint = CHECKPOINTS.get(Path(folder).name)
    return checkpoint is not None and checkpoint.stand_in is None


def announcement(name, folder):
    """The line that says which model stands in for `name`, how far to trust it, and how to get the real one."""
    layers, parameters = size(folder)
    millions = round(parameters / 1e6)
    stand_in, command = Path(folder).name, f"python -m helpers.checkpoints download {name}"
    return say(
        f"{name} → {stand_in}, a small stand-in that comes with the course ({layers} layers, {millions} M "
        f"parameters): expect the idea, not the document's scores. The real one: {command}",
        f"{name} → {stand_in}: 강의에 들어 있는 작은 대역 모델입니다(층 {layers}개, 매개변수 {millions * 100:,}만 개). "
        f"원리를 보기에는 충분하지만 점수는 문서와 다릅니다. 원래 모델 받기: {command}",
    )


def size(folder):
    """(layers, parameters) of a checkpoint folder, read from its config and the header of its weights."""
    config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    shapes = [tensor["shape"] for tensor in _tensors(Path(folder) / MODEL_FILE).values()]
    parameters = sum(_product(shape) for shape in shapes)
    return config["num_hidden_layers"], parameters


def _product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def _tier():
    tier = os.environ.get("COURSE_MODELS", "").strip().lower() or "auto"
    if tier not in TIERS:
        raise ValueError(say(
            f"COURSE_MODELS={os.environ['COURSE_MODELS']!r}: choose {', '.join(TIERS[:-1])} or {TIERS[-1]}.",
            f"COURSE_MODELS={os.environ['COURSE_MODELS']!r}: {', '.join(TIERS)} 가운데 하나를 고르세요.",
        ))
    return tier


# --- the pocket tier: models/, pinned by SHA256SUMS ---------------------------------------------------------------


def models_folder():
    """Where the pocket models lie: `models/` beside `helpers/`, unless `COURSE_MODELS_FOLDER` says otherwise."""
    return Path(os.environ.get("COURSE_MODELS_FOLDER") or Path(__file__).resolve().parent.parent / "models")


def _pocket(name):
    """The folder of a pocket model, after every file of it was checked against `SHA256SUMS`."""
    models = models_folder()
    sums = _sums(models)
    files = [file for file in sums if file.startswith(name + "/")]
    for required in REQUIRED_FILES:
        if f"{name}/{required}" not in files:
            raise CheckpointError(say(
                f"models/{SUMS_FILE} does not list {name}/{required}. {_restore(SUMS_FILE)}",
                f"models/{SUMS_FILE}에 {name}/{required} 파일이 없습니다. {_restore(SUMS_FILE)}",
            ))
    for file in files:
        problem = _damage(models / file, sums[file])
        if problem:
            raise CheckpointError(f"models/{file} {problem}. {_restore(file)}")
    return str(models / name)


def _sums(models):
    """{path inside models/: sha256} as `sha256sum` writes it."""
    try:
        lines = (models / SUMS_FILE).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        raise CheckpointError(say(
            f"The models that come with the course are not at {models} (no readable {SUMS_FILE} there). {_restore('')}",
            f"강의에 들어 있는 모델이 {models}에 없습니다({SUMS_FILE} 파일이 없거나 읽을 수 없음). {_restore('')}",
        )) from None
    pairs = (line.split(maxsplit=1) for line in lines)
    return {path.strip().lstrip("*").removeprefix("./"): digest for digest, path in (pair for pair in pairs if len(pair) == 2)}


def _restore(file):
    command = f"git checkout -- models/{file}"
    return say(f"Restore it with `{command}`, or get the course again.", f"`{command}`로 되돌리거나 강의를 다시 받으세요.")


def _damage(path, expected):
    """What is wrong with a file, in the reader's language, else None."""
    try:
        status = path.stat()
    except OSError:
        return say("is missing", "파일이 없습니다")
    promised = promised_size(path) if path.name == MODEL_FILE else None
    if promised is not None and status.st_size < promised:
        return say(
            f"is truncated ({status.st_size:,} of {promised:,} bytes)",
            f"파일이 잘렸습니다({promised:,} 가운데 {status.st_size:,} 바이트)",
        )
    if _sha256(path, status.st_size, status.st_mtime_ns) != expected:
        return say("is not the file that belongs to the course (its sha256 differs)", "파일이 강의의 것과 다릅니다(sha256이 다름)")
    return None


def weights_digest(folder):
    """SHA-256 (str, hexadecimal) of the weights in a checkpoint folder (str or Path): which model a figure was made with."""
    path = Path(folder) / MODEL_FILE
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path, size, changed):
    """sha256 of a file; `size` and `changed` make the answer of an altered file a new one."""
    return _digest(path, hashlib.sha256())


def _digest(path, digest):
    with open(path, "rb") as file:
        while block := file.read(READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _tensors(path):
    """The header of a safetensors file: {tensor name: {"dtype", "shape", "data_offsets"}}. Reads no weights.

    Source: the format's description, https://github.com/huggingface/safetensors#format
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > 100_000_000:  # the format's own limit
            raise ValueError("not a safetensors file")
        header = json.loads(file.read(length))
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}


def promised_size(path):
    """How long a safetensors file says it is, in bytes; None where even its header cannot be read."""
    try:
        tensors = _tensors(path)
        with open(path, "rb") as file:
            header = 8 + int.from_bytes(file.read(8), "little")
        return header + max(tensor["data_offsets"][1] for tensor in tensors.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


# --- the reference tier: the Hugging Face cache, pinned by revision ------------------------------------------------


def _storage(checkpoint):
    """The checkpoint's folder in the Hugging Face cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / ("models--" + checkpoint.name.replace("/", "--"))


def _snapshot(checkpoint):
    return _storage(checkpoint) / "snapshots" / checkpoint.revision


def _unverified(checkpoint):
    """A mark that lies there from a download's first byte until the last file was checked, whatever stops it."""
    return _storage(checkpoint) / f"unverified-{checkpoint.revision}"


def _verified(checkpoint):
    """What a finished download found: {file: [sha256, size, time of its last change in ns]} as JSON."""
    return _storage(checkpoint) / f"verified-{checkpoint.revision}.json"


def _reference_problem(checkpoint):
    """Why the checkpoint cannot be loaded from the cache, in the reader's language, else None. Uses no network."""
    files = [_snapshot(checkpoint) / file for file in REQUIRED_FILES]
    present = [file.is_file() for file in files]
    if not any(present) and not _unverified(checkpoint).exists():
        return say("is not on this computer yet", "아직 이 컴퓨터에 없습니다")
    model = _snapshot(checkpoint) / MODEL_FILE
    complete = all(present) and not _unverified(checkpoint).exists() and promised_size(model) == model.stat().st_size
    return _altered(checkpoint) if complete else say("is on this computer in part only", "일부만 받아져 있습니다")


def _altered(checkpoint):
    """Which file is not what the download brought, in the reader's language, else None."""
    try:
        files = json.loads(_verified(checkpoint).read_text(encoding="utf-8"))
        for file, (digest, size, changed) in files.items():
            path = _snapshot(checkpoint) / file
            # The weights can be 1.3 GB: they are read again only where they were touched since.
            untouched = file == MODEL_FILE and (path.stat().st_size, path.stat().st_mtime_ns) == (size, changed)
            problem = None if untouched else _damage(path, digest)
            if problem:
                return say(f"is damaged on this computer ({file} {problem})", f"손상되었습니다({file}: {problem})")
    except FileNotFoundError:  # downloaded by an earlier version of the course, or by other means
        return None
    except (OSError, ValueError, TypeError, AttributeError):
        return say(f"is damaged on this computer ({_verified(checkpoint).name} cannot be read)",
                   f"손상되었습니다({_verified(checkpoint).name} 파일을 읽을 수 없음)")
    return None


def download(name):
    """Bring a reference checkpoint into the Hugging Face cache: pinned revision, safetensors, every file checked.

    An interrupted download goes on where it stopped. Until every file has been checked, `resolve` does not use it.

    Args:
        name: str, one of `CHECKPOINTS`.

    Returns:
        str, the folder, ready for `from_pretrained`.

    Raises:
        ValueError: an unknown name.
        CheckpointError: no network, not found, too many requests, disk full, a broken or wrong file; names the fix.
    """
    checkpoint = known(name)
    if checkpoint.stand_in is None:  # it comes with the course
        return _pocket(name)
    with _hub_client():
        try:
            files = _listing(checkpoint)
        except Exception as error:
            if _no_network(error) and _reference_problem(checkpoint) is None:
                return str(_snapshot(checkpoint))  # all here, all checked when it came
            raise _explained(error, name) from error
        try:
            _check_room(checkpoint, files)
            for file, metadata in files.items():
                _fetch(checkpoint, file, metadata)
            _keep_sums(checkpoint, files)
            _unverified(checkpoint).unlink(missing_ok=True)
        except Exception as error:
            raise _explained(error, name) from error
    return str(_snapshot(checkpoint))


@contextlib.contextmanager
def _hub_client():
    """Progress bars on (the set-up cell turned them off), plain HTTP (Xet's protocol starts over after an interruption)."""
    from huggingface_hub import constants
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    bars_off, xet_off, verbosity = are_progress_bars_disabled(), constants.HF_HUB_DISABLE_XET, logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a reader who set HF_HUB_DISABLE_PROGRESS_BARS keeps that setting
        enable_progress_bars()
        logging.set_verbosity_error()  # what goes wrong is said in one line of our own
        constants.HF_HUB_DISABLE_XET = True
        try:
            yield
        finally:
            constants.HF_HUB_DISABLE_XET = xet_off
            logging.set_verbosity(verbosity)
            if bars_off:
                disable_progress_bars()


def _listing(checkpoint):
    """{file: the hub's metadata (etag, size)} of the files the course needs, small ones first."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.utils import get_session

    def url(file):
        return hf_hub_url(checkpoint.name, file, revision=checkpoint.revision)

    # One plain request first: without a network, or with a hub that is down, the client itself would try for half a minute.
    first = get_session().head(url("config.json"), timeout=10, allow_redirects=False)
    if first.status_code >= 500:
        first.raise_for_status()
    files = {}
    for file in sorted(OPTIONAL_FILES + REQUIRED_FILES, key=MODEL_FILE.__eq__):
        try:
            files[file] = get_hf_file_metadata(url(file))
        except EntryNotFoundError:
            if file in REQUIRED_FILES:
                raise
            continue
        if files[file].commit_hash != checkpoint.revision:
            raise CheckpointError(say(
                f"The hub answers with another revision of {checkpoint.name} than {checkpoint.revision[:12]}: nothing was "
                "downloaded. If HF_ENDPOINT is set, unset it and try again.",
                f"허브가 {checkpoint.name}의 다른 판을 내놓습니다({checkpoint.revision[:12]} 아님). 아무것도 받지 않았습니다. "
                "HF_ENDPOINT를 설정했다면 지우고 다시 해 보세요.",
            ))
    return files


def _check_room(checkpoint, files):
    missing = sum(metadata.size for file, metadata in files.items() if not (_snapshot(checkpoint) / file).exists())
    partial = sum(path.stat().st_size for path in (_storage(checkpoint) / "blobs").glob("*.incomplete"))
    here = next(folder for folder in (_storage(checkpoint), *_storage(checkpoint).parents) if folder.exists())
    if shutil.disk_usage(here).free < missing - partial:
        raise OSError(errno.ENOSPC, "not enough room")


def _fetch(checkpoint, file, metadata):
    """One file into the cache; afterwards its content is what the hub says it is, or it is gone and said to be."""
    from huggingface_hub import hf_hub_download

    path = _snapshot(checkpoint) / file
    partial = _storage(checkpoint) / "blobs" / f"{metadata.etag}.incomplete"
    blob = partial.with_suffix("")
    if partial.exists() and partial.stat().st_size > metadata.size:
        partial.unlink()
    started_before = path.exists() or blob.exists() or partial.exists()
    if path.exists() and _as_promised(path, metadata):
        return
    _unverified(checkpoint).parent.mkdir(parents=True, exist_ok=True)
    _unverified(checkpoint).touch()
    if path.exists():
        _remove(path)
    for attempt in ("what an earlier try left may be to blame", "fresh") if started_before else ("fresh",):
        hf_hub_download(checkpoint.name, file, revision=checkpoint.revision)
        if _as_promised(path, metadata):
            return
        _remove(path)
    raise CheckpointError(say(
        f"{file} of {checkpoint.name} arrived damaged (its hash is not the hub's) and was deleted. Run the same command "
        "again; if it happens twice, a proxy between here and the hub changes files.",
        f"{checkpoint.name}의 {file} 파일이 손상되어 도착해서(해시가 허브와 다름) 지웠습니다. 같은 명령을 다시 실행하세요. "
        "또 그러면 중간의 프록시가 파일을 바꾸는 것입니다.",
    ))


def _as_promised(path, metadata):
    """Are the size and the content what the hub announced? Its ETag is a sha256 (large files) or git's sha1 (small ones)."""
    if path.stat().st_size != metadata.size:
        return False
    if len(metadata.etag) == 64:
        return _digest(path, hashlib.sha256()) == metadata.etag
    return _digest(path, hashlib.sha1(b"blob %d\0" % metadata.size, usedforsecurity=False)) == metadata.etag


def _keep_sums(checkpoint, files):
    """Write down what the files are, now that each was checked, so that `resolve` notices what happens to them later."""
    found = {}
    for file, metadata in files.items():
        path = _snapshot(checkpoint) / file
        digest = metadata.etag if len(metadata.etag) == 64 else _digest(path, hashlib.sha256())
        found[file] = [digest, path.stat().st_size, path.stat().st_mtime_ns]
    with contextlib.suppress(OSError):  # a cache that others filled and that is not ours to write into is as good
        saving.write_text(_verified(checkpoint), json.dumps(found, indent=1) + "\n")


def _remove(path):
    """A file of the cache, and the blob that it links to."""
    blob = path.resolve()
    path.unlink()
    blob.unlink(missing_ok=True)


def _no_network(error):
    import requests

    return isinstance(error, (requests.ConnectionError, requests.Timeout, ConnectionError))


def _explained(error, name):
    """The one line that a reader gets for whatever went wrong in a download; what is not the hub's own stands in `download`."""
    import requests
    from huggingface_hub.errors import EntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, CheckpointError):
        return error
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OfflineModeIsEnabled):
        text = say(
            f"{name} cannot be downloaded while HF_HUB_OFFLINE is set: unset it and try again.",
            f"HF_HUB_OFFLINE이 설정되어 있어 {name} 모델을 받을 수 없습니다. 지우고 다시 해 보세요.",
        )
    elif status in (401, 403):  # before "not found": the client calls a 401 that, whatever it stands for
        text = say(
            f"The hub refuses {name} ({status}), although it needs no account: if a token is set, unset HF_TOKEN and run `hf auth "
            "logout`; if not, this network may block the hub. COURSE_MODELS=auto works without it.",
            f"허브가 {name} 모델을 내주지 않습니다({status}). 계정이 필요 없는 모델입니다. 토큰이 있다면 HF_TOKEN을 지우고 `hf auth logout`을 "
            "실행하세요. 없다면 이 네트워크가 허브를 막는 것일 수 있습니다. COURSE_MODELS=auto면 없어도 됩니다.",
        )
    elif isinstance(error, (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError)):
        revision = CHECKPOINTS[name].revision[:12]
        text = say(
            f"The hub has no {name} at revision {revision} (404): update the course; COURSE_MODELS=auto works without it.",
            f"허브에 {name}의 {revision} 판이 없습니다(404). 강의를 새 판으로 바꾸세요. COURSE_MODELS=auto면 없어도 됩니다.",
        )
    elif _no_network(error) and not isinstance(error, requests.exceptions.SSLError):
        text = say(
            f"No network to the Hugging Face Hub: {name} was not downloaded. COURSE_MODELS=auto works without it. {downloads.again()}",
            f"Hugging Face 허브에 연결할 수 없어 {name} 모델을 받지 못했습니다. COURSE_MODELS=auto면 없어도 됩니다. {downloads.again()}",
        )
    else:
        broken_off = "Consistency check failed" in str(error)  # how the client says that a file is too short
        text = downloads.explain(requests.ConnectionError() if broken_off else error, name, "HF_HOME")
    return CheckpointError(text)


# --- the command line ---------------------------------------------------------------------------------------------


def _print_list():
    _tier()
    for checkpoint in CHECKPOINTS.values():
        try:
            folder, stand_in = locate(checkpoint.name)
            here = f"→ {Path(folder).name}" if stand_in else say("here", "있음")
        except CheckpointError as error:
            here = str(error)
        print(f"{checkpoint.name:<20} {checkpoint.task:<26} {here}")


def main(arguments):
    """`list` or `download NAME`. Returns the exit status."""
    return downloads.command("helpers.checkpoints", arguments, _print_list, download)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
