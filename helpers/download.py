"""One file from the network: resumed where it stopped, checked against its hash, and never half-written under its name."""

import errno
import hashlib
import os
import shutil
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
    except (OSError, requests.RequestException) as error:  # a RequestException is an OSError; named for the reader
        raise _explained(error, url) from error


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


def _explained(error, url):
    """The one line that a reader gets."""
    import requests

    if isinstance(error, DownloadError):
        return error
    again = say("Run the same command again: it goes on where it stopped.", "같은 명령을 다시 실행하면 이어서 받습니다.")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 404:
        text = say(f"{url} is not there any more (404): update the course.", f"{url}이(가) 더는 없습니다(404): 강좌를 새 판으로 바꾸세요.")
    elif status == 429:
        text = say(f"{url}: too many requests (429), wait some minutes. {again}", f"{url}: 요청이 너무 많습니다(429). 몇 분 기다리세요. {again}")
    elif status is not None:
        text = say(f"{url} answered with an error ({status}). {again}", f"{url}이(가) 오류로 답했습니다({status}). {again}")
    elif saving.is_disk_full(error):
        text = say(
            f"Not enough room on the disk for {url}: free some, or set COURSE_CACHE to a folder on a larger disk. {again}",
            f"디스크에 {url}을(를) 둘 자리가 없습니다. 자리를 비우거나 COURSE_CACHE를 더 큰 디스크의 폴더로 설정하세요. {again}",
        )
    elif isinstance(error, PermissionError):
        text = say(
            f"{error.filename} cannot be written to: set COURSE_CACHE to a folder of your own. {again}",
            f"{error.filename}에 쓸 수 없습니다. COURSE_CACHE를 쓸 수 있는 폴더로 설정하세요. {again}",
        )
    elif isinstance(error, requests.exceptions.SSLError):
        text = say(
            f"The certificate of {url} was refused on this network. Behind a company proxy, set REQUESTS_CA_BUNDLE to its certificate.",
            f"이 네트워크에서 {url}의 인증서가 거부되었습니다. 회사 프록시를 쓴다면 REQUESTS_CA_BUNDLE에 그 인증서를 지정하세요.",
        )
    elif isinstance(error, (requests.RequestException, ConnectionError, TimeoutError)):
        text = say(f"No connection to {url}, or it broke off. {again}", f"{url}에 연결할 수 없거나 연결이 끊겼습니다. {again}")
    else:
        text = say(f"{url} could not be downloaded: {error}. {again}", f"{url}을(를) 받지 못했습니다: {error}. {again}")
    return DownloadError(text)
