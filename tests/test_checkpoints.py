"""Which folder a name loads from, in each tier; and downloads, from a hub on this computer that can misbehave.

No test needs the network, and none touches the reader's own Hugging Face cache.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils import reset_sessions
from stand_in_hub import StandInHub, random_checkpoint

from helpers import checkpoints
from helpers.checkpoints import CheckpointError

ROOT = Path(__file__).parents[1]
NAME = "klue/bert-base"
REVISION = checkpoints.CHECKPOINTS[NAME].revision
STAND_IN = checkpoints.CHECKPOINTS[NAME].stand_in
MODEL = "model.safetensors"
PICKLES = ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack")  # what the Hub has beside it
PORTIONS = 1 << 14  # bytes; the client's own 10 MB would hold a small model in one piece


def write_sums(models):
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(models).as_posix()}\n"
        for file in sorted(models.glob("*/*"))
    ]
    (models / checkpoints.SUMS_FILE).write_text("".join(lines), encoding="utf-8")


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """A `models/` of our own, an empty cache, a reader of English, and nothing announced yet."""
    models = tmp_path / "models"
    for seed, name in enumerate(("pocket-english", "pocket-korean")):
        random_checkpoint(models / name, seed=seed)
    write_sums(models)
    monkeypatch.setenv("COURSE_MODELS_FOLDER", str(models))
    monkeypatch.setenv("COURSE_MODELS", "auto")
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    monkeypatch.setattr(checkpoints, "_announced", set())
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return models


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that has NAME at its pinned revision, pickles beside the safetensors; this process downloads from it."""
    folder = random_checkpoint(tmp_path / "on the hub", hidden=64, intermediate=256)
    for pickle in PICKLES:
        (folder / pickle).write_bytes(b"never opened")
    with StandInHub({(NAME, REVISION): folder}) as hub:
        hub.folder = folder
        point_at(hub.address, monkeypatch)
        yield hub
        reset_sessions()


def point_at(address, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", PORTIONS)
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    reset_sessions()


def no_network(monkeypatch):
    """Any attempt to reach anything fails the test, even one that the code under test would swallow."""

    def tries(*arguments):
        pytest.fail(f"touched the network: {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", tries)


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def refused(call, *arguments):
    """The one line of the CheckpointError that the call ends in."""
    with pytest.raises(CheckpointError) as error:
        call(*arguments)
    text = str(error.value)
    assert text and "\n" not in text
    return text


def assert_not_used(monkeypatch):
    """What is in the cache does not pass as good, in either tier that would look there."""
    monkeypatch.setenv("COURSE_MODELS", "auto")
    assert Path(checkpoints.locate(NAME)[0]).name == STAND_IN
    monkeypatch.setenv("COURSE_MODELS", "reference")
    assert f"python -m helpers.checkpoints download {NAME}" in refused(checkpoints.locate, NAME)
    monkeypatch.setenv("COURSE_MODELS", "auto")


# ------------------------------------------------------------------------------------------------------- which folder


@pytest.mark.parametrize("tier", ["auto", "pocket", " Pocket ", ""])
@pytest.mark.parametrize("name, stand_in", [
    ("bert-large-uncased", "pocket-english"), ("bert-base-uncased", "pocket-english"), ("klue/bert-base", "pocket-korean"),
])
def test_without_a_download_the_stand_in_is_used(models, monkeypatch, tier, name, stand_in):
    monkeypatch.setenv("COURSE_MODELS", tier)
    no_network(monkeypatch)
    assert checkpoints.resolve(name) == str(models / stand_in)


@pytest.mark.parametrize("tier", checkpoints.TIERS)
@pytest.mark.parametrize("name", ["pocket-english", "pocket-korean"])
def test_a_pocket_model_by_its_own_name_is_no_stand_in(models, monkeypatch, capsys, tier, name):
    monkeypatch.setenv("COURSE_MODELS", tier)
    assert checkpoints.resolve(name) == str(models / name)
    assert capsys.readouterr().out == ""
    assert checkpoints.is_stand_in(models / name)


@pytest.mark.parametrize("language, words", [
    ("en", "klue/bert-base is not on this computer yet. Get it: python -m helpers.checkpoints download klue/bert-base "
           "(or set COURSE_MODELS=auto to work with the small pocket-korean)."),
    ("ko", "klue/bert-base: 아직 이 컴퓨터에 없습니다. 받으려면: python -m helpers.checkpoints download klue/bert-base"),
])
def test_the_reference_tier_names_the_command_that_gets_it(monkeypatch, language, words):
    monkeypatch.setenv("COURSE_MODELS", "reference")
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    no_network(monkeypatch)
    assert words in refused(checkpoints.resolve, NAME)


@pytest.mark.parametrize("language, words", [
    ("en", "COURSE_MODELS='nonsense': choose auto, pocket or reference."),
    ("ko", "COURSE_MODELS='nonsense': auto, pocket, reference 가운데 하나를 고르세요."),
])
def test_another_tier_is_refused(monkeypatch, language, words):
    monkeypatch.setenv("COURSE_MODELS", "nonsense")
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    with pytest.raises(ValueError) as error:
        checkpoints.resolve(NAME)
    assert str(error.value) == words


@pytest.mark.parametrize("call", [checkpoints.resolve, checkpoints.download])
@pytest.mark.parametrize("name, closest", [
    ("bert-large-uncase", "bert-large-uncased"),
    ("bert-large-cased", "bert-large-uncased"),
    ("BERT-Base-Uncased", "bert-base-uncased"),
    ("google-bert/bert-base-uncased", "bert-base-uncased"),
    ("klue-bert-base", "klue/bert-base"),
    ("pocket english", "pocket-english"),
    ("../pocket-english", "pocket-english"),
])
def test_an_unknown_name_is_refused_and_the_closest_one_named(call, name, closest):
    with pytest.raises(ValueError) as error:
        call(name)
    assert str(error.value).startswith(f"Unknown checkpoint {name!r}. Did you mean {closest!r}? The course knows: bert-large-uncased, ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["gpt2", "", None, 7, ["gpt2"]])
def test_a_name_like_no_other_gets_the_list_alone(name):
    with pytest.raises(ValueError) as error:
        checkpoints.resolve(name)
    assert str(error.value) == f"Unknown checkpoint {name!r}. The course knows: {', '.join(checkpoints.CHECKPOINTS)}."


def test_unknown_names_are_refused_in_korean_too(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    with pytest.raises(ValueError, match="'klue/bert': 모르는 체크포인트입니다. 혹시 'klue/bert-base'인가요?"):
        checkpoints.resolve("klue/bert")


# --------------------------------------------------------------------------------------------------- the announcement


@pytest.mark.parametrize("language, words", [
    ("en", ("klue/bert-base → pocket-korean, a small stand-in", "(3 layers, 1 M parameters)", "not the document's scores",
            "The real one: python -m helpers.checkpoints download klue/bert-base")),
    ("ko", ("klue/bert-base → pocket-korean: 강의에 들어 있는 작은 대역 모델입니다", "(층 3개, 매개변수 100만 개)", "점수는 문서와 다릅니다",
            "원래 모델 받기: python -m helpers.checkpoints download klue/bert-base")),
])
def test_a_stand_in_is_announced_once(models, monkeypatch, capsys, language, words):
    # 6,250 × 128 (pieces) + 3 layers of 66,048 + 6,250 (bias, twice) + …: between 0.5 and 1.5 million
    random_checkpoint(models / "pocket-korean", words=[f"w{n}" for n in range(6250)], hidden=128, layers=3)
    write_sums(models)
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    checkpoints.resolve(NAME)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert [each for each in words if each not in printed] == []
    checkpoints.resolve(NAME)
    assert capsys.readouterr().out == ""


def test_each_stand_in_is_announced_and_locate_announces_nothing(capsys):
    checkpoints.locate(NAME)
    assert capsys.readouterr().out == ""
    checkpoints.resolve("bert-base-uncased")
    checkpoints.resolve("bert-large-uncased")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" → ")[0] for line in lines] == ["bert-base-uncased", "bert-large-uncased"]


def test_size_is_read_without_loading_weights(models):
    # Embeddings (10 + 32 + 2) × 8 and 2 × 8; a layer 4 × 72 + (16 × 8 + 16) + (8 × 16 + 8) + 4 × 8 = 600; the pooler 72; the
    # heads 72 + 2 × 8, two biases of 10, and 2 × 8 + 2.
    assert checkpoints.size(models / "pocket-english") == (2, 352 + 16 + 2 * 600 + 72 + 88 + 20 + 18)


# ------------------------------------------------------------------------------------- files of the course, and damage


@pytest.mark.parametrize("language, words", [("en", "is missing. Restore it with"), ("ko", "파일이 없습니다. `git checkout -- ")])
@pytest.mark.parametrize("file", checkpoints.REQUIRED_FILES + ("tokenizer_config.json",))
def test_a_missing_file_is_named_and_how_to_restore_it(models, monkeypatch, file, language, words):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    (models / STAND_IN / file).unlink()
    text = refused(checkpoints.resolve, NAME)
    assert text.startswith(f"models/{STAND_IN}/{file} {words}") and f"`git checkout -- models/{STAND_IN}/{file}`" in text


@pytest.mark.parametrize("language, words", [("en", "is truncated ({:,} of {:,} bytes)"), ("ko", "파일이 잘렸습니다({1:,} 가운데 {0:,} 바이트)")])
def test_a_truncated_model_says_how_much_is_there(models, monkeypatch, language, words):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    model = models / STAND_IN / MODEL
    whole = model.stat().st_size
    os.truncate(model, whole - 100)
    assert f"models/{STAND_IN}/{MODEL} {words.format(whole - 100, whole)}. " in refused(checkpoints.resolve, NAME)


@pytest.mark.parametrize("size", [0, 5, 200])
def test_a_model_cut_in_its_header_is_refused(models, size):
    os.truncate(models / STAND_IN / MODEL, size)
    assert f"`git checkout -- models/{STAND_IN}/{MODEL}`" in refused(checkpoints.resolve, NAME)


@pytest.mark.parametrize("language, words", [("en", "is not the file that belongs to the course"), ("ko", "파일이 강의의 것과 다릅니다")])
@pytest.mark.parametrize("file", checkpoints.REQUIRED_FILES + ("tokenizer_config.json",))
def test_one_altered_byte_is_refused_in_every_file(models, monkeypatch, file, language, words):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    alter(models / STAND_IN / file)
    assert f"models/{STAND_IN}/{file} {words}" in refused(checkpoints.resolve, NAME)


def alter(path):
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


def test_a_file_altered_after_a_good_look_is_refused_and_restored_it_is_fine_again(models):
    model = models / STAND_IN / MODEL
    good = model.read_bytes()
    checkpoints.resolve(NAME)
    alter(model)
    refused(checkpoints.resolve, NAME)
    model.write_bytes(good)
    assert checkpoints.resolve(NAME) == str(models / STAND_IN)


def test_a_damaged_model_leaves_the_other_one_alone(models):
    alter(models / "pocket-english" / MODEL)
    assert checkpoints.resolve(NAME) == str(models / "pocket-korean")


def test_no_models_at_all_says_where_they_should_be(models):
    shutil.rmtree(models)
    assert refused(checkpoints.resolve, NAME).startswith(f"The models that come with the course are not at {models} ")


@pytest.mark.parametrize("sums, words", [
    (b"", f"SHA256SUMS does not list {STAND_IN}/config.json"),
    (b"what\n\nis this\n", f"SHA256SUMS does not list {STAND_IN}/config.json"),
    (b"\xff\xfe\x00", "no readable SHA256SUMS there"),
])
def test_a_broken_list_of_hashes_is_refused(models, sums, words):
    (models / checkpoints.SUMS_FILE).write_bytes(sums)
    text = refused(checkpoints.resolve, NAME)
    assert words in text and "git checkout -- models/" in text


def test_the_list_may_be_written_as_any_sha256sum_writes_it(models):
    sums = models / checkpoints.SUMS_FILE
    text = sums.read_text(encoding="utf-8")
    sums.write_bytes(text.replace("  ", " *./").replace("\n", "\r\n").encode())
    assert checkpoints.resolve(NAME) == str(models / STAND_IN)


# ------------------------------------------------------------------------------------------------------------ downloads


def test_a_download_brings_the_pinned_revision_and_no_pickle(hub, tmp_path, monkeypatch):
    folder = Path(checkpoints.download(NAME))
    assert folder == tmp_path / "cache" / "models--klue--bert-base" / "snapshots" / REVISION
    wanted = {"config.json", "vocab.txt", MODEL, "tokenizer_config.json"}
    assert {file.name for file in folder.iterdir()} == wanted
    assert all((folder / file).read_bytes() == (hub.folder / file).read_bytes() for file in wanted)
    asked = {path for _, path, _ in hub.requests}
    assert all(path.startswith(f"/{NAME}/resolve/{REVISION}/") for path in asked)
    assert not any(path.endswith(PICKLES) for path in asked)


@pytest.mark.parametrize("tier", ["auto", "reference"])
def test_afterwards_it_is_used_without_the_network_and_without_an_announcement(hub, monkeypatch, capsys, tier):
    folder = checkpoints.download(NAME)
    capsys.readouterr()
    monkeypatch.setenv("COURSE_MODELS", tier)
    no_network(monkeypatch)
    assert checkpoints.resolve(NAME) == folder
    assert not checkpoints.is_stand_in(folder)
    assert capsys.readouterr().out == ""


def test_the_pocket_tier_stays_with_the_stand_in(hub, models, monkeypatch):
    checkpoints.download(NAME)
    monkeypatch.setenv("COURSE_MODELS", "pocket")
    assert checkpoints.resolve(NAME) == str(models / STAND_IN)


def test_one_download_makes_no_other_checkpoint_real(hub, models):
    checkpoints.download(NAME)
    assert checkpoints.resolve("bert-base-uncased") == str(models / "pocket-english")


def test_a_second_download_sends_nothing_again(hub):
    checkpoints.download(NAME)
    sent = dict(hub.sent)
    checkpoints.download(NAME)
    assert hub.sent == sent


def test_a_second_download_without_a_network_is_content_with_what_is_there(hub, monkeypatch):
    folder = checkpoints.download(NAME)
    point_at(f"http://127.0.0.1:{closed_port()}", monkeypatch)
    assert checkpoints.download(NAME) == folder


def test_downloading_a_pocket_model_checks_what_is_there(hub, models):
    assert checkpoints.download("pocket-korean") == str(models / "pocket-korean")
    assert hub.requests == []
    alter(models / "pocket-korean" / MODEL)
    refused(checkpoints.download, "pocket-korean")


def test_the_clients_settings_are_put_back(hub):
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    disable_progress_bars()
    try:
        before = are_progress_bars_disabled(), constants.HF_HUB_DISABLE_XET, logging.get_verbosity()
        checkpoints.download(NAME)
        hub.status["config.json"] = 500
        refused(checkpoints.download, NAME)
        assert (are_progress_bars_disabled(), constants.HF_HUB_DISABLE_XET, logging.get_verbosity()) == before
    finally:
        enable_progress_bars()


# ------------------------------------------------------------------------------------- what happens to a download later


def cut(path):
    os.truncate(path, path.stat().st_size - 7)


DOWNLOADED = ("config.json", "vocab.txt", "tokenizer_config.json", "tokenizer.json", MODEL)


@pytest.fixture
def downloaded(hub):
    """The folder of a finished download, a tokenizer.json among its files."""
    (hub.folder / "tokenizer.json").write_text('{"version": "1.0"}' + " " * 20, encoding="utf-8")
    return Path(checkpoints.download(NAME))


@pytest.mark.parametrize("spoil", [alter, cut, Path.unlink])
@pytest.mark.parametrize("file", DOWNLOADED)
def test_a_downloaded_file_that_was_spoilt_later_is_not_used(downloaded, hub, monkeypatch, file, spoil):
    assert checkpoints.resolve(NAME) == str(downloaded)
    spoil(downloaded / file)
    assert_not_used(monkeypatch)
    assert checkpoints.download(NAME) == str(downloaded)
    assert (downloaded / file).read_bytes() == (hub.folder / file).read_bytes()
    assert checkpoints.resolve(NAME) == str(downloaded)


@pytest.mark.parametrize("language, words", [
    ("en", "klue/bert-base is damaged on this computer (vocab.txt is not the file that belongs to the course (its sha256 differs)). Get it: "),
    ("ko", "klue/bert-base: 손상되었습니다(vocab.txt: 파일이 강의의 것과 다릅니다(sha256이 다름)). 받으려면: "),
])
def test_the_spoilt_file_is_named(downloaded, monkeypatch, language, words):
    alter(downloaded / "vocab.txt")
    monkeypatch.setenv("COURSE_MODELS", "reference")
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    assert refused(checkpoints.resolve, NAME).startswith(words)


def test_untouched_weights_are_not_read_again(downloaded, monkeypatch):
    read = []
    monkeypatch.setattr(checkpoints, "_sha256", lambda path, *_: read.append(path.name) or checkpoints._digest(path, hashlib.sha256()))
    assert checkpoints.resolve(NAME) == str(downloaded)
    assert MODEL not in read and "config.json" in read
    os.utime(downloaded / MODEL, (1, 1))  # copied to another computer, say: as good as before, but not known to be
    assert checkpoints.resolve(NAME) == str(downloaded)
    assert MODEL in read


def test_a_download_of_before_the_sums_still_loads_and_the_next_one_writes_them(downloaded, monkeypatch):
    sums = checkpoints._verified(checkpoints.CHECKPOINTS[NAME])
    sums.unlink()
    assert checkpoints.resolve(NAME) == str(downloaded)
    checkpoints.download(NAME)
    assert sums.is_file()
    sums.write_text("half a")
    assert_not_used(monkeypatch)
    checkpoints.download(NAME)
    assert checkpoints.resolve(NAME) == str(downloaded)


def test_a_cache_that_is_not_ours_to_write_into_is_as_good(downloaded, monkeypatch):
    checkpoints._verified(checkpoints.CHECKPOINTS[NAME]).unlink()

    def refuse(path, text):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(checkpoints.saving, "write_text", refuse)
    assert checkpoints.download(NAME) == checkpoints.resolve(NAME) == str(downloaded)


# --------------------------------------------------------------------------------------------- downloads that go wrong


def _nothing_there(hub):
    hub.repositories.clear()


def _another_revision(hub):
    hub.repositories = {(NAME, "0" * 40): hub.folder}


def _no_safetensors(hub):
    (hub.folder / MODEL).unlink()


def _status(file, status):
    return lambda hub: hub.status.update({file: status})


def _answers_with_another_commit(hub):
    hub.commit = "0" * 40


TROUBLES = [
    pytest.param(_nothing_there, f"The hub has no {NAME} at revision {REVISION[:12]} (404): update the course", id="no such repository"),
    pytest.param(_another_revision, f"The hub has no {NAME} at revision {REVISION[:12]} (404): update the course", id="no such revision"),
    pytest.param(_no_safetensors, f"The hub has no {NAME} at revision {REVISION[:12]} (404): update the course", id="pickles alone"),
    pytest.param(_answers_with_another_commit, "The hub answers with another revision of klue/bert-base than", id="wrong revision"),
    pytest.param(_status("config.json", 401), "The hub refuses klue/bert-base (401), although it needs no account", id="401"),
    pytest.param(_status("config.json", 403), "The hub refuses klue/bert-base (403), although it needs no account", id="403"),
    pytest.param(_status("config.json", 429), f"{NAME}: too many requests (429), wait some minutes. Run the same command again", id="429"),
    pytest.param(_status(MODEL, 429), f"{NAME}: too many requests (429), wait some minutes. Run the same command again", id="429 at the last file"),
    pytest.param(_status("config.json", 503), f"{NAME}: the server answered with an error (503). Run the same command again", id="503"),
]


@pytest.mark.parametrize("trouble, words", TROUBLES)
def test_an_answer_of_the_hub_that_is_no_file_is_explained(hub, monkeypatch, trouble, words):
    trouble(hub)
    assert refused(checkpoints.download, NAME).startswith(words)
    assert hub.sent == {}  # not one file was begun
    assert_not_used(monkeypatch)
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    in_korean = refused(checkpoints.download, NAME)
    assert re.search("[가-힣]{2}", in_korean) and "Run the" not in in_korean
    assert not any(path.endswith(PICKLES) for _, path, _ in hub.requests)


def test_no_network_is_explained_at_once(monkeypatch):
    point_at(f"http://127.0.0.1:{closed_port()}", monkeypatch)
    assert refused(checkpoints.download, NAME).startswith(f"No network to the Hugging Face Hub: {NAME} was not downloaded.")
    assert_not_used(monkeypatch)


def test_a_name_that_no_network_knows_is_explained(monkeypatch):
    """A dead Wi-Fi mostly shows as a name that cannot be looked up."""
    point_at("http://hub.invalid", monkeypatch)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: (_ for _ in ()).throw(socket.gaierror(-3, "no")))
    assert refused(checkpoints.download, NAME).startswith("No network to the Hugging Face Hub")


def test_offline_mode_is_explained(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    assert "while HF_HUB_OFFLINE is set: unset it" in refused(checkpoints.download, NAME)
    assert hub.requests == []


def test_a_full_disk_is_seen_before_anything_is_sent(hub, monkeypatch):
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=1000))
    assert refused(checkpoints.download, NAME).startswith(f"Not enough room on the disk for {NAME}: free some, or set HF_HOME")
    assert hub.sent == {}
    assert_not_used(monkeypatch)


def test_a_disk_that_fills_up_on_the_way_is_explained(hub, monkeypatch):
    real = file_download.http_get

    def fills_up(url, temp_file, **options):
        if url.endswith(MODEL):
            temp_file.write(b"some")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(url, temp_file, **options)

    monkeypatch.setattr(file_download, "http_get", fills_up)
    assert refused(checkpoints.download, NAME).startswith(f"Not enough room on the disk for {NAME}")
    assert_not_used(monkeypatch)
    monkeypatch.setattr(file_download, "http_get", real)
    # The four wrong bytes that were left are found out by the hash, and the file is fetched anew.
    assert (Path(checkpoints.download(NAME)) / MODEL).read_bytes() == (hub.folder / MODEL).read_bytes()


def test_a_cache_that_cannot_be_written_to_is_explained(hub, tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "a file" / "hub"))
    assert "a file" in (line := refused(checkpoints.download, NAME)) and " cannot be written to: set HF_HOME to a folder of your own." in line


def test_a_cut_connection_is_explained_and_the_next_try_goes_on_where_it_stopped(hub, monkeypatch):
    size = (hub.folder / MODEL).stat().st_size
    hub.cut_after[MODEL] = size // 2
    assert refused(checkpoints.download, NAME) == (
        f"No connection, or it broke off before {NAME} was complete. Run the same command again: it goes on where it stopped.")
    assert_not_used(monkeypatch)
    hub.cut_after.clear()
    folder = Path(checkpoints.download(NAME))
    assert (folder / MODEL).read_bytes() == (hub.folder / MODEL).read_bytes()
    (start,) = [int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) for method, path, asked in hub.requests
                if method == "GET" and path.endswith(MODEL) and asked]
    assert size // 2 - PORTIONS <= start <= size // 2
    assert hub.sent["config.json"] == (hub.folder / "config.json").stat().st_size  # what was whole was not sent again


def test_a_file_that_ends_too_early_is_explained_and_completed_by_the_next_try(hub, monkeypatch):
    hub.truncated[MODEL] = (hub.folder / MODEL).stat().st_size - 1000
    assert refused(checkpoints.download, NAME).startswith(f"No connection, or it broke off before {NAME} was complete.")
    assert_not_used(monkeypatch)
    hub.truncated.clear()
    assert (Path(checkpoints.download(NAME)) / MODEL).read_bytes() == (hub.folder / MODEL).read_bytes()
    assert checkpoints.locate(NAME)[1] is False


@pytest.mark.parametrize("file", ["config.json", "vocab.txt", MODEL])
def test_an_altered_byte_is_found_out_and_the_file_deleted(hub, tmp_path, monkeypatch, file):
    hub.altered.add(file)
    text = refused(checkpoints.download, NAME)
    assert text.startswith(f"{file} of {NAME} arrived damaged (its hash is not the hub's) and was deleted.")
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() or path.is_symlink()]
    assert not any(path.name == file for path in left)
    assert all(path.read_bytes() == (hub.folder / path.name).read_bytes() for path in left if path.parent.name == REVISION)
    assert_not_used(monkeypatch)
    hub.altered.clear()
    assert (Path(checkpoints.download(NAME)) / file).read_bytes() == (hub.folder / file).read_bytes()


def test_a_download_stopped_before_its_last_check_is_not_used(hub, monkeypatch):
    """All files are there by then, each as long as it should be; one of them is wrong."""
    real = checkpoints._as_promised

    def stopped_at_the_model(path, metadata):
        if path.name == MODEL:
            raise KeyboardInterrupt
        return real(path, metadata)

    hub.altered.add(MODEL)
    monkeypatch.setattr(checkpoints, "_as_promised", stopped_at_the_model)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.download(NAME)
    assert_not_used(monkeypatch)
    hub.altered.clear()
    monkeypatch.setattr(checkpoints, "_as_promised", real)
    assert (Path(checkpoints.download(NAME)) / MODEL).read_bytes() == (hub.folder / MODEL).read_bytes()
    assert checkpoints.locate(NAME)[1] is False


def test_a_partial_file_of_wrong_bytes_is_not_continued(hub, tmp_path):
    """The client itself goes on after whatever is there, and takes the sum for good if its length is right."""
    blobs = tmp_path / "cache" / "models--klue--bert-base" / "blobs"
    blobs.mkdir(parents=True)
    digest = hashlib.sha256((hub.folder / MODEL).read_bytes()).hexdigest()
    (blobs / f"{digest}.incomplete").write_bytes(b"\0" * 5000)
    assert (Path(checkpoints.download(NAME)) / MODEL).read_bytes() == (hub.folder / MODEL).read_bytes()


def test_a_downloaded_file_that_was_cut_later_is_not_used(hub, monkeypatch):
    model = Path(checkpoints.download(NAME)) / MODEL
    os.truncate(model, model.stat().st_size - 1)
    assert_not_used(monkeypatch)
    assert "in part only" in refused_in_the_reference_tier(monkeypatch)
    checkpoints.download(NAME)
    assert model.read_bytes() == (hub.folder / MODEL).read_bytes()


def refused_in_the_reference_tier(monkeypatch):
    monkeypatch.setenv("COURSE_MODELS", "reference")
    try:
        return refused(checkpoints.resolve, NAME)
    finally:
        monkeypatch.setenv("COURSE_MODELS", "auto")


# --------------------------------------------------------------------------------------------------- the command line


def command(*arguments, hub=None, home=None, **options):
    """`python -m helpers.checkpoints …` in a process of its own, as a reader starts it."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables.update(NO_PROXY="127.0.0.1", PYTHONIOENCODING="utf-8")
    if hub:
        variables.update(HF_ENDPOINT=hub.address, HF_HOME=str(home), HF_HUB_DISABLE_TELEMETRY="1")
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.checkpoints", *arguments], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL,
        preexec_fn=None if sys.platform == "win32" else hear_ctrl_c,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8", **options},
    )


def hear_ctrl_c():
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_list_shows_every_checkpoint_and_what_stands_in(capsys):
    assert checkpoints.main([]) == checkpoints.main(["list"]) == 0
    first, second = [text.splitlines() for text in capsys.readouterr().out.split("bert-large-uncased")[1:]]
    assert first[-1].split()[-1] == second[-1].split()[-1] == "here" and len(first) == len(second) == len(checkpoints.CHECKPOINTS)
    assert first[0].endswith("→ pocket-english")


@pytest.mark.parametrize("arguments, status, words", [
    (["download", "klue/bert"], 1, "Unknown checkpoint 'klue/bert'. Did you mean 'klue/bert-base'?"),
    (["download"], 2, "python -m helpers.checkpoints [list | download NAME]"),
    (["fetch", NAME], 2, "python -m helpers.checkpoints [list | download NAME]"),
])
def test_the_command_says_what_is_wrong_in_one_line(capsys, arguments, status, words):
    assert checkpoints.main(arguments) == status
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(words) and printed.err.count("\n") == 1


def test_list_refuses_another_tier(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_MODELS", "nonsense")
    assert checkpoints.main(["list"]) == 1
    assert capsys.readouterr().err == "COURSE_MODELS='nonsense': choose auto, pocket or reference.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of our own needs Unix")
def test_the_command_downloads_with_a_bar_in_a_terminal(hub, tmp_path):
    import fcntl
    import pty
    import struct
    import termios

    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # lines and columns
    process = command("download", NAME, hub=hub, home=tmp_path / "home", stderr=side)
    os.close(side)
    printed = process.communicate(timeout=60)[0]
    bars = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert process.returncode == 0
    assert printed.splitlines() == [
        f"{NAME} is on this computer, every file checked.",
        str(tmp_path / "home" / "hub" / "models--klue--bert-base" / "snapshots" / REVISION),
    ]
    assert re.search(rf"{MODEL}: 100%", bars)


@pytest.fixture
def larger_hub(tmp_path):
    """One whose model is larger than the 10 MB that the client writes at a time."""
    folder = random_checkpoint(tmp_path / "larger", words=[f"w{n}" for n in range(30_000)], hidden=128)
    with StandInHub({(NAME, REVISION): folder}) as hub:
        hub.folder = folder
        yield hub


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
@pytest.mark.parametrize("stop, status, said", [
    (signal.SIGINT, 130, "\nStopped. Run the same command again: it goes on where it stopped.\n"),
    (signal.SIGKILL, -signal.SIGKILL, ""),
], ids=["Ctrl-C", "a crash"])
def test_a_download_that_was_stopped_is_not_used_and_goes_on(larger_hub, tmp_path, monkeypatch, stop, status, said):
    size, home = (larger_hub.folder / MODEL).stat().st_size, tmp_path / "home"
    larger_hub.pause_after[MODEL] = 12_000_000
    process = command("download", NAME, hub=larger_hub, home=home)
    assert larger_hub.paused.wait(60)
    wait_for_part(home)
    process.send_signal(stop)
    assert process.communicate(timeout=60) == ("", said) and process.returncode == status
    partly = wait_for_part(home)  # what it was writing may have arrived in the meantime
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    assert_not_used(monkeypatch)

    larger_hub.pause_after.clear()
    process = command("download", NAME, hub=larger_hub, home=home)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    folder = Path(checkpoints.resolve(NAME))
    assert folder.is_relative_to(home) and (folder / MODEL).read_bytes() == (larger_hub.folder / MODEL).read_bytes()
    assert ("GET", f"/{NAME}/resolve/{REVISION}/{MODEL}", f"bytes={partly}-") in larger_hub.requests
    assert size > partly > 0


def wait_for_part(home):
    """Size of the model's unfinished file, once the client has written its first 10 MB."""
    for _ in range(600):
        for path in (home / "hub").rglob("*.incomplete"):
            if path.stat().st_size:
                return path.stat().st_size
        time.sleep(0.05)
    pytest.fail("the client wrote nothing")


# ----------------------------------------------------------------- the reference tier's whole way, without its weights


LOAD = """
import json, resource, sys, time
from helpers import checkpoints, environment
environment.prepare()
from transformers import BertTokenizerFast, TFBertForMaskedLM
folder = checkpoints.resolve({name!r})
started = time.time()
model, loading = TFBertForMaskedLM.from_pretrained(folder, output_loading_info=True)
tokenizer = BertTokenizerFast.from_pretrained(folder)
logits = model(**tokenizer({text!r}, return_tensors="tf")).logits
print(json.dumps(dict(
    folder=folder, missing=loading["missing_keys"], mismatched=[str(each) for each in loading["mismatched_keys"]],
    shape=list(logits.shape), some=[float(x) for x in logits.numpy()[0, 1, :5]],
    positions=model.config.max_position_embeddings, parameters=int(sum(v.numpy().size for v in model.weights)),
    seconds=time.time() - started, peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
)))
"""


def load(cache, text="soccer is [MASK].", name=NAME):
    """Load and ask, in a process that has no network and no stand-in: the reference tier. Returns what it printed."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables.update(HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE="1", COURSE_MODELS="reference", PYTHONHASHSEED="0")
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(name=name, text=text)], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_checkpoint_with_the_hubs_old_names_loads_to_the_same_model(tmp_path, monkeypatch):
    """`bert-base-uncased` calls its layer norms gamma and beta and stores no decoder: the same weights must come out."""
    answers = []
    for old_names in (False, True):
        cache = tmp_path / str(old_names)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        folder = random_checkpoint(tmp_path / f"hub {old_names}", old_names=old_names)
        with StandInHub({("bert-base-uncased", checkpoints.CHECKPOINTS["bert-base-uncased"].revision): folder}) as hub:
            point_at(hub.address, monkeypatch)
            checkpoints.download("bert-base-uncased")
        loaded = load(cache, name="bert-base-uncased")
        assert loaded["missing"] == loaded["mismatched"] == []
        answers.append(loaded["some"])
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


@pytest.mark.slow
def test_a_checkpoint_of_full_size_is_downloaded_and_loaded(tmp_path, monkeypatch):
    """`klue/bert-base` in shape and size, its weights drawn at random: what a reader of the reference tier does, for real."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."] + [f"w{n}" for n in range(32_000 - 6)]
    folder = random_checkpoint(tmp_path / "hub", words, hidden=768, layers=12, heads=12, intermediate=3072, positions=512)
    assert (folder / MODEL).stat().st_size > 440_000_000
    with StandInHub({(NAME, REVISION): folder}) as hub:
        point_at(hub.address, monkeypatch)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10 << 20)
        downloaded = checkpoints.download(NAME)
    shutil.rmtree(folder)
    loaded = load(tmp_path / "cache", text="w7 w31 [MASK] .")
    assert loaded["folder"] == downloaded
    assert loaded["missing"] == loaded["mismatched"] == []
    assert loaded["shape"] == [1, 6, 32_000] and loaded["positions"] == 512
    # 12 layers of 7,087,872; 32,000 + 512 + 2 rows of 768 and a layer norm; the head's 590,592 + 1,536 and its bias; no pooler
    assert loaded["parameters"] == 12 * 7_087_872 + 32_514 * 768 + 1_536 + 590_592 + 1_536 + 32_000
    assert loaded["peak_gb"] < 2.5
