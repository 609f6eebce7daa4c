"""What every test may ask for."""

from tests.broker import broker, topic
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
    "topic",
]
