"""What every test may ask for."""

from tests.broker import broker, sockets_collected, topic
from tests.postgres import (
    databases,
    make_databases,
    migrated_template,
    pytest_configure,
    pytest_unconfigure,
    server,
)

__all__ = [
    "broker",
    "databases",
    "make_databases",
    "migrated_template",
    "pytest_configure",
    "pytest_unconfigure",
    "server",
    "sockets_collected",
    "topic",
]
