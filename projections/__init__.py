"""From facts to views. Each folder is one projection and can be deleted and rebuilt from the log.

The words used here are in GLOSSARY.md.
"""
