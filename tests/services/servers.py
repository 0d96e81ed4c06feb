"""The servers that tests use, each on a free port of loopback with its data in a temporary folder. They are made for
speed and die with this process: nothing in them survives, and nothing of the machine's own servers is touched.
"""

import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import tools

READY_SECONDS = 60
STOP_SECONDS = 20


@contextmanager
def started():
    """Starts what the environment does not name yet, and yields the variables that name it."""
    given = {name: os.environ[name] for name in ("TEST_POSTGRES_BIN", "TEST_SECANTUSD", "TEST_NATS_SERVER") if os.environ.get(name)}
    variables = {
        "TEST_POSTGRES_BIN": tools.postgres_bin, "TEST_SECANTUSD": tools.secantusd, "TEST_NATS_SERVER": tools.nats_server,
    }  # fmt: skip
    found = {name: given.get(name) or find() for name, find in variables.items()}
    thrown_away = []
    with ExitStack() as stack:
        servers = {
            "TEST_POSTGRES_URL": _postgres, "TEST_MONGODB_URL": _mongodb, "TEST_REDIS_URL": _redis, "TEST_NATS_URL": _nats,
        }  # fmt: skip
        for name, server in servers.items():
            if given := os.environ.get(name):
                found[name] = given
            else:
                found[name] = stack.enter_context(server(found))
                thrown_away.append(name)
        if "TEST_MONGODB_URL" in thrown_away and not shutil.which("mongod"):
            # The stand-in uses one core, and is what tests wait for.
            found["TEST_MONGODB_URL_2"] = stack.enter_context(_mongodb(found))
        yield {**found, "TEST_THROWN_AWAY": " ".join(thrown_away)}


@contextmanager
def _postgres(found):
    executables = Path(found["TEST_POSTGRES_BIN"])
    with _folder() as folder:
        user = _postgres_user()
        data = folder / "data"
        data.mkdir()
        if user:
            shutil.chown(data, user, pwd.getpwnam(user).pw_gid)
        initdb = [executables / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"]
        initdb += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"]
        with open(folder / "initdb.log", "wb") as log:
            if subprocess.run([*_as(user), *initdb], stdout=log, stderr=log, cwd=folder).returncode:
                raise SystemExit((folder / "initdb.log").read_text())
        # A power cut cannot hurt what is thrown away anyway. Servers under test bring pools of their own.
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 400,
            "shared_buffers": "64MB", "fsync": "off", "full_page_writes": "off", "wal_level": "minimal",
            "max_wal_senders": 0, "max_wal_size": "256MB",
        }  # fmt: skip
        options = [f"-c{name}={value}" for name, value in settings.items()]

        def command(port):
            return [executables / "postgres", "-D", data, "-p", str(port), *options]

        def is_ready(port):
            asked = [executables / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
            return subprocess.run(asked).returncode == 0

        # SIGINT ends sessions and stops; SIGTERM would wait for clients.
        with _running("PostgreSQL", folder, command, is_ready, stop=signal.SIGINT, user=user) as port:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def _mongodb(found):
    mongod = shutil.which("mongod")
    with _folder() as folder:
        data = folder / "data"
        data.mkdir()

        def command(port):
            place = ["--port", str(port)]
            if mongod:
                return [mongod, *place, "--dbpath", data, "--bind_ip", "127.0.0.1", "--replSet", "rs0"]
            return [found["TEST_SECANTUSD"], *place, "--storage-path", data, "--cache-size", "256M"]

        # Transactions take a replica set. It has one member, and is there when that member says that it is primary.
        def is_ready(port):
            if mongod:
                member = {"_id": 0, "host": f"127.0.0.1:{port}"}
                _mongodb_command(port, {"replSetInitiate": {"_id": "rs0", "members": {"0": member}}})
            return b"\x08isWritablePrimary\0\x01" in _mongodb_command(port, {"hello": 1})

        with _running("MongoDB" if mongod else "SecantusDB", folder, command, is_ready) as port:
            yield f"mongodb://127.0.0.1:{port}/"


@contextmanager
def _redis(_found):
    server = tools.redis_server()
    with _folder() as folder:

        def command(port):
            return [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]

        def is_ready(port):
            return _exchange(port, b"PING\r\n").startswith(b"+PONG")

        with _running("Redis", folder, command, is_ready) as port:
            yield f"redis://127.0.0.1:{port}/"


@contextmanager
def _nats(found):
    with _folder() as folder:

        def command(port):
            return [found["TEST_NATS_SERVER"], "--addr", "127.0.0.1", "--port", str(port)]

        def is_ready(port):
            return _exchange(port, b"").startswith(b"INFO ")

        with _running("NATS", folder, command, is_ready) as port:
            yield f"nats://127.0.0.1:{port}"


@contextmanager
def _folder():
    with tempfile.TemporaryDirectory(prefix="parlance-services-", ignore_cleanup_errors=True) as folder:
        # The server may run as another user, who has to come through here.
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def _running(name, folder, command, is_ready, stop=signal.SIGTERM, user=None):
    """Runs a server until the block ends. Yields its port."""
    log_path = folder / "log"
    for _ in range(3):
        port = _free_port()
        # A group of its own, so that Ctrl-C reaches the tests first. The kernel stops it should this process be killed.
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                [*_as(user, stop), *command(port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                start_new_session=True,
            )  # fmt: skip
        try:
            if _wait_until_ready(process, lambda: is_ready(port)):
                yield port
                return
        finally:
            _stop(process, stop)
        # Somebody else may have taken the port in between.
    raise SystemExit(f"tests/services: {name} does not start:\n{log_path.read_text(errors='replace')}")


def _wait_until_ready(process, is_ready):
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if is_ready():
                return process.poll() is None
        except OSError:
            pass
        time.sleep(0.05)
    return False


def _stop(process, stop):
    if process.poll() is not None:
        return
    process.send_signal(stop)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _postgres_user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = [entry.pw_name for entry in pwd.getpwall()]
    return "postgres" if "postgres" in names else "nobody"


def _as(user, stop=signal.SIGTERM):
    prefix = ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG")]
    if user:
        prefix += ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]
    return prefix


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _exchange(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def _mongodb_command(port, command):
    """Sends one command as an `OP_MSG` and returns the answer's bytes."""
    body = struct.pack("<IB", 0, 0) + _bson({**command, "$db": "admin"})
    return _exchange(port, struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)


def _bson(document):
    elements = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, int):
            elements += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            elements += b"\x02" + name + struct.pack("<i", len(text)) + text
        else:
            # An array is a document whose keys are its positions.
            elements += (b"\x04" if "0" in value else b"\x03") + name + _bson(value)
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"
