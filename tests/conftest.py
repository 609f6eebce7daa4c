"""What every test may ask for."""

from tests.postgres import (
    databases,
    make_databases,
    migrated_template,
    pytest_configure,
    pytest_unconfigure,
    server,
)

__all__ = [
    "databases",
    "make_databases",
    "migrated_template",
    "pytest_configure",
    "pytest_unconfigure",
    "server",
]
