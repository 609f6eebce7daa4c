"""Stops an embedded server a minute after its last user. Run by path as a process of its own; standard library only.

Every process that uses the server holds a shared lock on `users.lock`; the kernel frees it however the process ends,
so a user killed with -9 neither keeps the server alive nor takes it from others. The keeper looks once a second
whether it can have that lock alone. A user touches the file on arrival, so that one who came and went between two
looks counts as well.
"""

import contextlib
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

LOOK_EVERY_SECONDS = 1.0
STOP_SECONDS = 60.0
SOCKET_PREFIX = "contactpoint-"


def postmaster_pid(data: Path) -> int | None:
    """The process that the data directory names as its server, or None."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def alive(pid: int) -> bool:
    """Is there a process of this number (a zombie counts as none)?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def lock_now(handle: int, operation: int) -> bool:
    """Take a lock without waiting. False: somebody else holds it."""
    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def socket_directory(data: Path) -> Path | None:
    """Where the server of this data directory has its socket."""
    try:
        return Path((data / "postmaster.pid").read_text().split("\n")[4])
    except (OSError, IndexError):
        return None


def stop(data: Path, pid: int, seconds: float = STOP_SECONDS) -> bool:
    """End the server in an orderly way (its fast shutdown: sessions are ended, nothing is lost). False: it goes on.

    By signal, not by pg_ctl, which would have to run as the server's account and reach the data by its path.
    """
    directory = socket_directory(data)
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    if directory is not None and directory.name.startswith(SOCKET_PREFIX):
        with contextlib.suppress(OSError):
            directory.rmdir()
    return True


def keep(folder: Path, idle_seconds: float) -> None:
    """Watch until the server is gone or has had no user for `idle_seconds`; then stop it."""
    own = os.open(folder / "keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not lock_now(own, fcntl.LOCK_EX):
        return  # another keeper watches already
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    start = os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    last_used = time.monotonic()
    last_touched = os.fstat(users).st_mtime_ns
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        pid = postmaster_pid(folder / "data")
        if pid is None or not alive(pid):
            # Nothing to keep. Look again under the lock of those who start it: they start a keeper if none is there.
            if lock_now(start, fcntl.LOCK_EX):
                pid = postmaster_pid(folder / "data")
                if pid is None or not alive(pid):
                    return
                fcntl.flock(start, fcntl.LOCK_UN)
            continue
        nobody_here = lock_now(users, fcntl.LOCK_EX)
        if nobody_here:
            fcntl.flock(users, fcntl.LOCK_UN)
        touched = os.fstat(users).st_mtime_ns
        if not nobody_here or touched != last_touched:
            last_used, last_touched = time.monotonic(), touched
            continue
        if time.monotonic() - last_used < idle_seconds:
            continue
        # Newcomers wait for the start lock, so between this look and the stop nobody can arrive.
        if not lock_now(start, fcntl.LOCK_EX):
            continue
        if os.fstat(users).st_mtime_ns == last_touched and lock_now(users, fcntl.LOCK_EX):
            stop(folder / "data", pid)
            return
        fcntl.flock(start, fcntl.LOCK_UN)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    keep(Path(sys.argv[1]), float(sys.argv[2]))
