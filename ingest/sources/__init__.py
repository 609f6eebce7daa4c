"""One file per national source: it parses that source's format into source records and does nothing else.

The words used here are in GLOSSARY.md.
"""
