"""Make the clone of this project run on Colab's or Kaggle's own image: what the set-up cell calls after cloning.

The image brings TensorFlow, pandas, matplotlib and ipywidgets; its transformers has no TensorFlow any more, and its
TensorFlow comes with Keras 3. So transformers and its companions are put at the versions of requirements/colab.txt, and
tf-keras is added in the version that goes with the TensorFlow that is there.
"""

import importlib
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from helpers.language import say

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "colab.txt"
LOADED_TOO_EARLY = ("transformers", "tokenizers", "huggingface_hub", "keras", "tf_keras")


def install(language):
    """Install what the image lacks; nothing where it is there, or where the reader works inside the project's folder.

    Args:
        language: "en" or "ko", of what is said on the way.

    Raises:
        SystemExit: with one line that says what to do; the kernel itself goes on.
    """
    os.environ["COURSE_LANGUAGE"] = language
    if ROOT in Path.cwd().resolve().parents:  # a computer of the reader's own: nothing is installed behind their back
        return
    lacking = [package for package, version in wanted().items() if not fits(package, version)]
    if not lacking:
        return
    early = [module for module in LOADED_TOO_EARLY if module in sys.modules]
    if early:
        raise SystemExit(say(
            f"This kernel has loaded another {early[0]} already: restart the runtime, then run this cell first.",
            f"이 커널은 이미 다른 {early[0]}을(를) 불러왔습니다. 런타임을 다시 시작한 뒤 이 셀부터 실행하세요."))
    print(say(f"Installing {', '.join(lacking)}: about a minute …", f"{', '.join(lacking)} 설치 중: 1분쯤 걸립니다 …"), flush=True)
    pip("--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS))
    pip("--no-deps", f"tf-keras=={wanted()['tf-keras']}")
    importlib.invalidate_caches()


def wanted():
    """Package → version, `*` standing for any ending."""
    pinned = re.findall(r"(?m)^([\w-]+)==([^\s\\;]+)", REQUIREMENTS.read_text(encoding="utf-8"))
    major, minor = tensorflow_version().split(".")[:2]
    return {**dict(pinned), "tf-keras": f"{major}.{minor}.*"}


def tensorflow_version():
    """The version of the TensorFlow that is here, found without importing it (a slow import, and too early)."""
    for distribution in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu"):
        version = installed(distribution)
        if version:
            return version
    raise SystemExit(say(
        "There is no TensorFlow here. This cell sets up Colab and Kaggle; on your own computer, follow README.md.",
        "여기에는 TensorFlow가 없습니다. 이 셀은 Colab과 Kaggle용입니다. 자기 컴퓨터에서는 README.ko.md를 따라 하세요."))


def installed(distribution):
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def fits(package, version):
    return re.fullmatch(re.escape(version).replace(r"\*", ".*"), installed(package) or "") is not None


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        reason = (result.stderr.strip() or result.stdout.strip() or "pip").splitlines()[-1]
        raise SystemExit(say(
            f"The installation stopped ({reason}): check the network, then run this cell again.",
            f"설치가 중단되었습니다({reason}). 네트워크를 확인하고 이 셀을 다시 실행하세요."))
