"""Finds the executables of the servers, and installs what is missing: PostgreSQL, Redis and NATS from Debian, SecantusDB (a
server of MongoDB's protocol with transactions) from PyPI into the target folder. MongoDB itself is used when it is on
the PATH; Debian has no package of it. Run as a program, it installs all of them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent.parent / "target").resolve()


def postgres_bin():
    """The folder with `initdb` and `postgres`."""
    return _postgres_bin() or (_install("postgresql"), _postgres_bin())[1] or _missing("postgresql")


def _postgres_bin():
    # Debian keeps them off the PATH, one folder for each version.
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = newest or shutil.which("postgres")
    return str(Path(found).resolve().parent) if found else None


def redis_server():
    """The executable `redis-server`."""
    found = shutil.which("redis-server")
    return found or (_install("redis-server"), shutil.which("redis-server"))[1] or _missing("redis-server")


def nats_server():
    """The executable `nats-server`, which Debian keeps where only root looks."""
    find = lambda: shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    return find() or (_install("nats-server"), find())[1] or _missing("nats-server")


def secantusd():
    """The executable `secantusd-py`, in a virtual environment that is made anew when the requirements change."""
    wanted = HERE / "requirements.txt"
    place = TARGET / "tools" / "secantusdb"
    installed = place / "requirements.txt"
    if not installed.exists() or installed.read_text() != wanted.read_text():
        _tell("installing SecantusDB")
        shutil.rmtree(place, ignore_errors=True)
        if subprocess.run([sys.executable, "-c", "import ensurepip"], stderr=subprocess.DEVNULL).returncode:
            _install("python3-venv")
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [place / "bin" / "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--requirement", wanted], check=True, stdout=sys.stderr)
        shutil.copy(wanted, installed)
    return str(place / "bin" / "secantusd-py")


def _install(package):
    _tell(f"installing {package}")
    subprocess.run([HERE.parent / "packages.sh", package], check=True)


def _missing(package):
    raise SystemExit(f"tests/services: {package} is installed, but its server is not where it was looked for")


def _tell(text):
    print(f"tests/services: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    for find in (postgres_bin, redis_server, nats_server, secantusd):
        find()
