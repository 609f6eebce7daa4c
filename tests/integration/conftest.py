"""Homes that the command line is tried on, as the acceptance tests have them."""

from tests.acceptance.conftest import bare_home, line, new_home, own_server, restored

__all__ = ["bare_home", "line", "new_home", "own_server", "restored"]
