"""What a fresh clone relies on: the lists of packages, the commands, the public address, the READMEs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import helpers
from tools import install, lab, lock, picture, repository, update_readme

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
LOCKS = tuple(lock.LISTS)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
PLATFORMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def locked(name):
    """The requirements of a lock file: `name==version ; marker`."""
    lines = re.findall(r"(?m)^([a-z0-9][^\s#]*==[^\\\n]*)", read(f"requirements/{name}.txt"))
    return [Requirement(line.strip()) for line in lines]


def version_of(requirement):
    return Version(str(requirement.specifier).removeprefix("=="))


def environments():
    for python in PYTHONS:
        for system, machine in PLATFORMS:
            yield {
                "python_version": python, "python_full_version": f"{python}.1", "sys_platform": system, "platform_machine": machine,
                "os_name": "nt" if system == "win32" else "posix", "implementation_name": "cpython",
                "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
            }


def installed_in(name, environment):
    return {each.name: version_of(each) for each in locked(name) if not each.marker or each.marker.evaluate(environment)}


def project_files():
    """Every file that is, or would be, committed."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode("utf-8")
    return [path for path in sorted(set(listed.split("\0"))) if path and (ROOT / path).is_file()]


def project_texts():
    for path in project_files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:8000]:
            yield path, content.decode("utf-8")


# The lists of packages


@pytest.mark.parametrize("name", ["course", "test", "colab"])
def test_no_pytorch_reaches_a_learner(name):
    unwanted = [each.name for each in locked(name) if re.match(r"torch|triton|nvidia|cuda|sentence-transformers", each.name)]
    assert not unwanted


@pytest.mark.parametrize("name", ["test", "train"])
def test_list_contains_the_course_in_the_same_versions(name):
    assert set(map(str, locked("course"))) <= set(map(str, locked(name)))


@pytest.mark.parametrize("name", ["gpu", "colab"])
def test_list_shares_the_course_versions(name):
    course = {each.name: version_of(each) for each in locked("course")}
    assert [str(each) for each in locked(name) if course.get(each.name, version_of(each)) != version_of(each) and not each.marker] == []


@pytest.mark.parametrize("name", LOCKS)
def test_each_file_of_a_locked_package_has_a_hash(name):
    without = [block.split()[0] for block in re.split(r"(?m)^(?=[a-z0-9])", read(f"requirements/{name}.txt"))[1:] if "--hash=sha256:" not in block]
    assert not without


@pytest.mark.parametrize(("name", "extra"), [("course", None), ("test", "test"), ("train", "train"), ("gpu", "gpu")])
def test_lock_is_what_pyproject_asks_for(name, extra):
    wanted = [Requirement(each) for each in PROJECT["dependencies"] + PROJECT["optional-dependencies"].get(extra, [])]
    unmet = set()
    for environment in environments():
        got = installed_in(name, environment)
        if "tensorflow-cpu" in got:
            got["tensorflow"] = got["tensorflow-cpu"]
        for each in wanted:
            applies = not each.marker or each.marker.evaluate({**environment, "extra": extra or ""})
            if applies and (each.name not in got or got[each.name] not in each.specifier):
                unmet.add(str(each))
    assert not unmet, "run `make lock`"


@pytest.mark.parametrize("name", ["course", "test", "train"])
def test_exactly_one_tensorflow_and_the_same_minor_of_tf_keras(name):
    for environment in environments():
        got = installed_in(name, environment)
        tensorflow = [got[each] for each in ("tensorflow", "tensorflow-cpu") if each in got]
        assert [each.release[:2] for each in tensorflow] == [got["tf-keras"].release[:2]], environment


def test_tensorflow_and_tf_keras_are_asked_for_in_the_same_minor():
    asked = {Requirement(each).name: str(Requirement(each).specifier) for each in PROJECT["dependencies"]}
    assert asked["tensorflow"] == asked["tf-keras"]


@pytest.mark.parametrize("name", ["course", "test", "train", "gpu", "colab"])
def test_transformers_is_the_newest_that_loads_our_weights(name):
    """4.55-4.57 stop with "'builtins.safe_open' object is not iterable" (transformers#40028); 5 has no TensorFlow."""
    assert "transformers==4.54.1" in PROJECT["dependencies"]
    assert [str(version_of(each)) for each in locked(name) if each.name == "transformers"] == ["4.54.1"]


def test_conda_installs_the_list_of_pyproject():
    environment = yaml.safe_load(read("environment.yml"))
    from_pip = next(each["pip"] for each in environment["dependencies"] if isinstance(each, dict))
    assert from_pip == [*PROJECT["dependencies"], "--editable ."]
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_supported_pythons_are_the_same_everywhere():
    assert PROJECT["requires-python"] == ">={}.{},<{}.{}".format(*install.OLDEST, install.NEWEST[0], install.NEWEST[1] + 1)
    matrix = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [each.rsplit(" ", 1)[1] for each in PROJECT["classifiers"] if "Python :: 3." in each] == PYTHONS


def test_no_file_names_a_package_index():
    options = "--(extra-)?index" + "-url|--find" + "-links"  # in two parts, or this file would be the one that is found
    addresses = r"https?://[^\s/]+/(\w+/)*simp" + r"le\b"  # every index has this page (PEP 503), whatever its host
    hosts = "python" + "hosted|download[.]py" + "torch"
    assert [path for path, text in project_texts() if re.search(f"{options}|{addresses}|{hosts}", text)] == []
    locks = {path: text for path, text in project_texts() if path.startswith("requirements/")}
    assert len(locks) > 6 and [path for path, text in locks.items() if "://" in text] == []


def test_no_file_names_a_folder_of_the_computer_it_was_made_on():
    folders = re.compile(r"(?<![\w.])/(home|root|Users|work|tmp)/\w")
    assert [path for path, text in project_texts() if path.startswith(("requirements/", "notebooks/", "README")) and folders.search(text)] == []


# The public address


def test_address_stands_in_pyproject_only_and_the_rest_derives_from_it():
    address = repository.name()
    project = address.split("/")[1]
    seen = {}
    for path, text in project_texts():
        for owner in re.findall(rf"(?:github\.com/|/github/|/gh/)([\w.-]+)/{re.escape(project)}(?![\w-])", text):
            seen.setdefault(path, set()).add(f"{owner}/{project}")
    assert {path: names for path, names in seen.items() if names != {address}} == {}
    derived = ("README.md", "README.ko.md", "CITATION.cff", "pyproject.toml")
    assert [path for path in seen if path not in derived and not path.startswith("notebooks/")] == []


def test_fork_is_one_line(tmp_path):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(read("pyproject.toml").replace(repository.name(), "somebody/fork"), encoding="utf-8")
    fork = repository.name(pyproject)
    assert fork == "somebody/fork"
    for name in ("README.md", "README.ko.md", "CITATION.cff"):
        text = update_readme.updated(name, read(name), fork)
        assert "somebody/fork" in text
        assert repository.name() not in text


# The READMEs


def test_readmes_and_citation_are_up_to_date():
    assert update_readme.main(["--check"]) == 0, "run `make readme`"


def test_lesson_table_has_a_row_a_lesson(tmp_path):
    for language, title in (("en", "A | B"), ("ko", "가")):
        (tmp_path / language).mkdir()
        (tmp_path / language / "01_name.md").write_text(
            f"---\nlesson: 1\ntitle: {title}\nminutes: 25\nobjectives:\n  - read ids\n  - pad\n---\n\ntext\n", encoding="utf-8"
        )
    colab = "https://colab.research.google.com/github/me/it/blob/main/notebooks"
    badge = "https://colab.research.google.com/assets/colab-badge.svg"
    assert update_readme.lesson_table("en", "me/it", tmp_path).splitlines()[2:] == [
        r"| [01 A \| B](notebooks/en/01_name.ipynb) | read ids<br>pad | 25 "
        f"| [![Open in Colab]({badge})]({colab}/en/01_name.ipynb) | [![Open in Colab]({badge})]({colab}/ko/01_name.ipynb) |"
    ]


def test_lesson_without_minutes_is_refused(tmp_path):
    lesson = tmp_path / "01_name.md"
    lesson.write_text("---\nlesson: 1\ntitle: x\nobjectives: [y]\n---\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no minutes in the front matter"):
        update_readme.front_matter(lesson)


@pytest.mark.parametrize("path", ["README.md", "README.ko.md", "CONTRIBUTING.md", "LICENSE-prose.md", "CHANGELOG.md"])
def test_links_lead_to_files_that_are_there(path):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", read(path))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_both_readmes_give_the_same_commands():
    english, korean = (re.findall(r"```\n(.*?)```", read(name), flags=re.DOTALL) for name in ("README.md", "README.ko.md"))
    assert english == [block.replace(" COURSE_LANGUAGE=ko", "") for block in korean]


# The commands


def test_ci_runs_the_test_command_of_the_readme():
    commands = [line for line in read(".ci/run").splitlines() if line and not line.startswith((" ", "#"))]
    assert commands[-1] == "make test"
    for name in ("README.md", "README.ko.md"):
        assert "```\nmake test\n```" in read(name)


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


@needs_make
def test_make_alone_lists_every_command():
    printed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"(?m)^\.PHONY: (.*)$", read("Makefile"))[0].split()
    listed = re.findall(r"(?m)^  ([a-z-]+) +\S", printed)
    assert listed == [each for each in targets if not each.endswith(("-installed", "-named"))]


@needs_make
@pytest.mark.parametrize(("arguments", "command"), [
    (["notebooks", "REPOSITORY=me/it"], "-m tools.build_notebooks --repository me/it"),
    (["train-pocket", "MODEL=pocket-english"], "-m tools.train_pocket pocket-english"),
    (["test", "ARGS=-k pooling"], "-m pytest -k pooling"),
    (["lock", "UPGRADE=1"], "-m tools.lock --upgrade"),
])
def test_make_hands_its_variables_on(arguments, command):
    planned = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert command in planned


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_python_without_tensorflow_is_refused_in_one_line(version):
    message = install.unsupported((*version, 0))
    assert message.startswith("Python 3.{} cannot run this course".format(version[1]))
    assert "make lab PYTHON=python3.12" in message
    assert "\n" not in message


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_the_set_up_stops_at_once_under_such_a_python(version):
    """Run as a script, with only the version that it sees replaced: one line, status 1, and nothing was begun."""
    code = f"import runpy, sys; sys.version_info = {version}; sys.argv[:] = ['install.py']; runpy.run_path('tools/install.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", install.unsupported(version) + "\n")


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_python_with_tensorflow_is_accepted(version):
    assert install.unsupported((*version, 0)) is None


def a_finished_installation(tmp_path, monkeypatch, name):
    monkeypatch.setattr(install, "works", lambda python: True)
    (tmp_path / "installed.txt").write_text(install.fingerprint(name) + "\n")
    return str(tmp_path)


def test_nothing_is_installed_twice(tmp_path, monkeypatch):
    assert install.installed(a_finished_installation(tmp_path, monkeypatch, "course"), "course")


def test_tests_list_serves_the_course_but_not_the_other_way_round(tmp_path, monkeypatch):
    assert install.installed(a_finished_installation(tmp_path, monkeypatch, "test"), "course")
    assert not install.installed(a_finished_installation(tmp_path, monkeypatch, "course"), "test")


def test_changed_lock_is_installed_again(tmp_path, monkeypatch):
    venv = a_finished_installation(tmp_path, monkeypatch, "course")
    changed = tmp_path / "changed.txt"
    changed.write_text("another list")
    monkeypatch.setattr(install, "lock_file", lambda name: str(changed))
    assert not install.installed(venv, "course")


def test_interrupted_installation_counts_as_none(tmp_path, monkeypatch):
    venv = a_finished_installation(tmp_path, monkeypatch, "course")
    monkeypatch.setattr(install, "version_of", lambda python: "{}.{}".format(*sys.version_info[:2]))

    def interrupted(command):
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install.install(venv, "course")
    assert not install.installed(venv, "course")


def test_pip_goes_on_where_uv_cannot(tmp_path, monkeypatch):
    venv = a_finished_installation(tmp_path, monkeypatch, "course")
    monkeypatch.setattr(install, "version_of", lambda python: "{}.{}".format(*sys.version_info[:2]))
    commands = []

    def without_uv(command):
        commands.append(command)
        if "uv" in command:
            raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(install, "run", without_uv)
    install.install(venv, "course")
    assert ["--no-deps", "--require-hashes", "-r", install.lock_file("course")] == commands[-2][-4:]
    assert install.installed(venv, "course")


@pytest.mark.parametrize(("environment", "expected"), [
    ({"COURSE_LANGUAGE": "ko", "LANG": "en_US.UTF-8"}, "ko"),
    ({"COURSE_LANGUAGE": "en", "LANG": "ko_KR.UTF-8"}, "en"),
    ({"LANG": "ko_KR.UTF-8"}, "ko"),
    ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "en"),
])
def test_start_page_speaks_the_readers_language(environment, expected):
    assert lab.language(environment) == expected


def test_unknown_language_is_refused_with_the_choice():
    with pytest.raises(ValueError, match="COURSE_LANGUAGE='fr': choose one of en, ko"):
        lab.language({"COURSE_LANGUAGE": "fr"})


def test_lab_listens_to_this_computer_only():
    assert "--ServerApp.ip=127.0.0.1" in lab.command([], user=1000)


def test_root_is_told_how_to_start_jupyterlab():
    with pytest.raises(ValueError, match="make lab ARGS=--allow-root"):
        lab.command(["--no-browser"], user=0)
    assert lab.command(["--allow-root"], user=0)[-1] == "--allow-root"


def test_lab_starts_without_pop_ups():
    settings = Path(lab.environment({"JUPYTER_CONFIG_PATH": "own"})["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
    page = json.loads((settings / "labconfig" / "page_config.json").read_text(encoding="utf-8"))
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


def test_the_package_lists_each_of_its_modules():
    listed = {name.strip() for line in re.findall(r"(?m)^(\w+(?:, \w+)*)  ", helpers.__doc__) for name in line.split(",")}
    modules = {path.stem for path in (ROOT / "helpers").glob("*.py")} | {path.parent.name for path in (ROOT / "helpers").glob("*/__init__.py")}
    assert listed == modules - {"__init__"}


def test_what_takes_longest_is_named_as_its_files_are():
    from conftest import LONGEST

    there = {path.name for folder in ("tests", "notebooks") for path in (ROOT / folder).rglob("*")}
    assert set(LONGEST) <= there and len(set(LONGEST)) == len(LONGEST) > 5


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_readme_s_picture_shows_the_words_of_the_model_that_is_here(language):
    assert picture.weights_in(picture.FOLDER / f"lesson_02_{language}.png") == picture.weights(), "make it anew: python -m tools.picture"
