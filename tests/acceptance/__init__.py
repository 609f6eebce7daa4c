"""The scenarios T1 to T80, each under its number, spoken through the public commands where that is possible."""
