"""Who changed and who looked, when and why, from both logs, behind one set of queries.

The words used here are in GLOSSARY.md.
"""
