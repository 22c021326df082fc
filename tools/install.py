"""Set up `.venv` with one locked list: what `make lab` and `make test` do first, and what Windows runs directly.

    python tools/install.py            the course (requirements/course.txt)
    python tools/install.py test       the course and its tests; also: train, gpu

Needs Python 3.10-3.13 and nothing else. Does nothing where the list is installed already. Interrupt it at any time: the
stamp that says "installed" is written last, so the next start goes on. Kept to the syntax of old Pythons, so that one
that is too old reads the reason instead of a SyntaxError.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LISTS = ("course", "test", "train", "gpu")
CONTAINS_COURSE = ("test", "train")  # whoever has one of these has the course list too, in the same versions
OLDEST, NEWEST = (3, 10), (3, 13)
GIGABYTES_NEEDED = {"course": 3, "test": 3, "train": 12, "gpu": 10}


def main(arguments):
    if len(arguments) > 1 or (arguments and arguments[0] not in LISTS):
        return "usage: python tools/install.py [{}]".format("|".join(LISTS))
    name = arguments[0] if arguments else "course"
    problem = unsupported(sys.version_info)
    if problem:
        return problem
    venv = os.path.join(ROOT, ".venv")
    if installed(venv, name):
        return None
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < GIGABYTES_NEEDED[name]:
        return "Only {:.1f} GB free here, about {} GB are needed: make room, or clone the course to a larger disk.".format(
            free, GIGABYTES_NEEDED[name])
    try:
        install(venv, name)
    except subprocess.CalledProcessError as error:
        return ("Set-up stopped at: {}\nThe reason stands above. Then run the same command again: it goes on from here "
                "(and if it stops here again: remove the folder .venv first).".format(" ".join(map(str, error.cmd))))
    except KeyboardInterrupt:
        return "Set-up interrupted. Run the same command again: it goes on from here."
    return None


def unsupported(version):
    """The one line to print for a Python that TensorFlow has no wheels for, else None."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    return ("Python {}.{} cannot run this course: TensorFlow 2.21 supports Python 3.10 to 3.13. "
            "Name another one, for example: make lab PYTHON=python3.12".format(*version[:2]))


def python_of(venv):
    return os.path.join(venv, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def stamp_of(venv):
    return os.path.join(venv, "installed.txt")


def fingerprint(name):
    """Changes with the list, the project's own metadata, the folder or the Python version: then the set-up runs again."""
    digest = hashlib.sha256("{} {}.{}".format(ROOT, *sys.version_info[:2]).encode("utf-8"))
    for path in (lock_file(name), os.path.join(ROOT, "pyproject.toml")):
        with open(path, "rb") as file:
            digest.update(file.read())
    return "{} {}".format(name, digest.hexdigest())


def lock_file(name):
    return os.path.join(ROOT, "requirements", name + ".txt")


def installed(venv, name):
    """Is this list, or one that contains it, in place?"""
    try:
        with open(stamp_of(venv)) as file:
            stamp = file.read().strip()
    except OSError:
        return False
    enough = (name,) + (CONTAINS_COURSE if name == "course" else ())
    return stamp in [fingerprint(each) for each in enough] and works(python_of(venv))


def works(python):
    try:
        return subprocess.call([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def install(venv, name):
    python = python_of(venv)
    if os.path.exists(stamp_of(venv)):
        os.remove(stamp_of(venv))
    version = "{}.{}".format(*sys.version_info[:2])
    if not works(python) or version_of(python) != version:
        say("Making .venv with Python {} ...".format(version))
        if os.path.isdir(venv):
            shutil.rmtree(venv)
        create(venv)
    say("Installing requirements/{}.txt, once: some minutes, depending on the network ...".format(name))
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    uv = [python, "-m", "uv", "pip"]
    requirements = ["--require-hashes", lock_file(name)]
    try:
        run(pip + ["install", "--quiet", "--require-hashes", "-r", os.path.join(ROOT, "requirements", "uv.txt")])
        run(uv + ["sync", "--python", python, "--compile-bytecode"] + requirements)
    except subprocess.CalledProcessError:  # uv does not read pip's settings (mirror, proxy, certificate)
        say("uv could not install the list; trying pip, which is slower ...")
        run(pip + ["install", "--no-deps", "--require-hashes", "-r", lock_file(name)])
    run(pip + ["install", "--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT])
    with open(stamp_of(venv), "w") as file:
        file.write(fingerprint(name) + "\n")
    say("Installed.")


def create(venv):
    try:
        run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", venv])
    except subprocess.CalledProcessError:
        say("Python could not make a virtual environment. On Debian and Ubuntu: sudo apt install python3-venv")
        raise


def version_of(python):
    code = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"
    return subprocess.check_output([python, "-c", code]).decode().strip()


def run(command):
    environment = dict(os.environ, PYTHONNOUSERSITE="1")
    environment.pop("PYTHONPATH", None)
    subprocess.check_call(command, cwd=ROOT, env=environment)


def say(text):
    print(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
