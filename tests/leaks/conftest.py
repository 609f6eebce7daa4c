"""The training home of each module, as the scenarios have it."""

from tests.acceptance.conftest import bare_home, line, new_home, own_server

__all__ = ["bare_home", "line", "new_home", "own_server"]
