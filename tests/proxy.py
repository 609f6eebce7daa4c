"""A server's socket with somebody in between who cuts the line."""

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self


class Proxy:
    """Passes bytes on between clients and one Unix socket, until told to cut.

    `cut_before_the_next_answer`: the next request of the simple or extended kind reaches the server and is carried out;
    its answer is swallowed and the connection closed, so that the client cannot know.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self.directory = tempfile.mkdtemp(prefix="cp-proxy-")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(Path(self.directory) / Path(target).name))
        self._listening.listen(16)
        self._swallow = 0
        self._lines: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self.cut_now()
        shutil.rmtree(self.directory, ignore_errors=True)

    def cut_before_the_next_answer(self, times: int = 1) -> None:
        """The next answers, to connections that are established already or are made meanwhile, are swallowed."""
        with self._lock:
            self._swallow = times

    def cut_now(self) -> None:
        """Cut every line. What the server is doing it goes on doing."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            for end in line:
                _close(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            with self._lock:
                self._lines.append((client, server))
            started = threading.Event()
            threading.Thread(target=self._requests, args=(client, server, started), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, server, started), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, started: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                # The first message of a connection has no type; P, B and Q begin statements.
                if data[:1] in b"PBQ":
                    started.set()
                server.sendall(data)
        _close(server)

    def _answers(self, client: socket.socket, server: socket.socket, started: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                with self._lock:
                    swallow = started.is_set() and self._swallow > 0
                    if swallow:
                        self._swallow -= 1
                        self.cuts += 1
                if swallow:
                    break
                client.sendall(data)
        _close(client)
        _close(server)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
