"""Settings and the other parts of the command line that need no database."""
