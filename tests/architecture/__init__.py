"""The rules of the house as tests: each failure says what to do instead."""
