"""From somebody else's row to our command: parse, normalise, find candidates, decide, and quarantine what
cannot be accepted.

Pure; candidates come through a port. The words used here are in GLOSSARY.md.
"""
