"""One file from the network: resumed where it stopped, checked against its hash, and never half-written under its name."""

import errno
import hashlib
import os
import shutil
import sys
from pathlib import Path

from helpers import saving
from helpers.language import say

READ_AT_ONCE = 1 << 16  # bytes; so much may have to be fetched again after an interruption
SECONDS = 30  # without an answer


class DownloadError(OSError):
    """A file did not arrive, or not as promised; the message names the fix."""


def fetch(url, digest, path):
    """Download a file unless it is there already.

    Args:
        url: str.
        digest: str, "sha256:…" (or "md5:…") of the content.
        path: Path, where it goes. While it is incomplete it lies beside it as `….part`, and the next call goes on there.

    Raises:
        DownloadError: no network, not found, too many requests, disk full, connection lost, wrong content.
    """
    import requests

    path = Path(path)
    if path.is_file() and is_as_promised(path, digest):
        return
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        resumed = part.exists()
        _receive(url, part)
        if not is_as_promised(part, digest) and resumed:  # what an earlier try left may be to blame
            part.unlink()
            _receive(url, part)
        if not is_as_promised(part, digest):
            part.unlink()
            raise DownloadError(say(
                f"{url} arrived with another content than the course is pinned to (its hash differs) and was deleted. Run the same "
                "command again; if it happens twice, the file has changed there, or a proxy changes it on the way.",
                f"{url}의 내용이 강좌에 적힌 것과 달라서(해시가 다름) 지웠습니다. 같은 명령을 다시 실행하세요. 또 그러면 그곳의 파일이 "
                "바뀌었거나 중간의 프록시가 바꾸는 것입니다.",
            ))
        os.replace(part, path)
    except DownloadError:
        raise
    except (OSError, requests.RequestException) as error:  # a RequestException is an OSError; named for the reader
        raise DownloadError(explain(error, url, "COURSE_CACHE")) from error


def is_as_promised(path, digest):
    """Has a file this digest ("sha256:…" or "md5:…")?"""
    algorithm, _, expected = digest.partition(":")
    found = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(READ_AT_ONCE):
            found.update(block)
    return found.hexdigest() == expected


def _receive(url, part):
    """Append what is missing of the file to `part`."""
    import requests
    from tqdm.auto import tqdm

    start = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    with requests.get(url, headers=headers, stream=True, timeout=SECONDS) as response:
        if start and response.status_code == 416:  # nothing is missing
            return
        response.raise_for_status()
        if response.status_code != 206:  # the server starts from the beginning
            start = 0
        missing = int(response.headers.get("Content-Length", 0))
        if shutil.disk_usage(part.parent).free < missing:
            raise OSError(errno.ENOSPC, "not enough room")
        received = 0
        with open(part, "ab" if start else "wb") as file, tqdm(
            total=start + missing or None, initial=start, unit="B", unit_scale=True, desc=url.rsplit("/", 1)[1], leave=False
        ) as bar:
            for block in response.iter_content(READ_AT_ONCE):
                file.write(block)
                received += len(block)
                bar.update(len(block))
    if received < missing:  # requests does not notice
        raise requests.ConnectionError("connection lost")


def again():
    """What helps against most of what can go wrong."""
    return say("Run the same command again: it goes on where it stopped.", "같은 명령을 다시 실행하면 이어서 받습니다.")


def explain(error, what, setting):
    """The one line that a reader gets for a download that failed.

    Args:
        error: the exception.
        what: str, what was asked for: a name or an address.
        setting: str, the environment variable that names the folder where downloads are kept.

    Returns:
        str.
    """
    import requests

    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 404:
        return say(f"{what} is not there any more (404): update the course.", f"{what}이(가) 더는 없습니다(404): 강좌를 새 판으로 바꾸세요.")
    if status == 429:
        return say(f"{what}: too many requests (429), wait some minutes. {again()}", f"{what}: 요청이 너무 많습니다(429). 몇 분 기다리세요. {again()}")
    if status is not None:
        return say(f"{what}: the server answered with an error ({status}). {again()}", f"{what}: 서버가 오류로 답했습니다({status}). {again()}")
    if saving.is_disk_full(error):
        return say(
            f"Not enough room on the disk for {what}: free some, or set {setting} to a folder on a larger disk. {again()}",
            f"디스크에 {what}을(를) 둘 자리가 없습니다. 자리를 비우거나 {setting}을(를) 더 큰 디스크의 폴더로 설정하세요. {again()}",
        )
    if saving.is_locked(error):
        return say(
            f"{error.filename} cannot be written to: set {setting} to a folder of your own. {again()}",
            f"{error.filename}에 쓸 수 없습니다. {setting}을(를) 쓸 수 있는 폴더로 설정하세요. {again()}",
        )
    if isinstance(error, requests.exceptions.SSLError):
        return say(
            f"The certificate was refused on this network: {what} was not downloaded. Behind a company proxy, set REQUESTS_CA_BUNDLE to its certificate.",
            f"이 네트워크에서 인증서가 거부되어 {what}을(를) 받지 못했습니다. 회사 프록시를 쓴다면 REQUESTS_CA_BUNDLE에 그 인증서를 지정하세요.",
        )
    if isinstance(error, (requests.RequestException, ConnectionError, TimeoutError)):
        return say(
            f"No connection, or it broke off before {what} was complete. {again()}",
            f"연결할 수 없거나, {what}을(를) 받다가 연결이 끊겼습니다. {again()}",
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    return say(f"{what} could not be downloaded: {reason}. {again()}", f"{what}을(를) 받지 못했습니다: {reason}. {again()}")


def command(module, arguments, show, fetch):
    """The command line of a module that downloads by name: `list` or `download NAME`.

    Args:
        module: str, how it is called.
        arguments: list of str.
        show: function without arguments, prints what there is.
        fetch: function of a name; what it returns is printed, unless it is None.

    Returns:
        int, the exit status.
    """
    try:
        if not arguments or arguments == ["list"]:
            show()
            return 0
        if len(arguments) == 2 and arguments[0] == "download":
            folder = fetch(arguments[1])
            print(say(f"{arguments[1]} is on this computer, every file checked.", f"{arguments[1]} 준비 끝(모든 파일 확인함)."))
            if folder is not None:
                print(folder)
            return 0
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n" + say("Stopped.", "멈췄습니다.") + " " + again(), file=sys.stderr)
        return 130
    print(f"python -m {module} [list | download NAME]", file=sys.stderr)
    return 2
