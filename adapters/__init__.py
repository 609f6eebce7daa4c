"""The outside: one folder or file per technology, and none of them imports another.

The words used here are in GLOSSARY.md.
"""
