"""The accounts and organisations there are, so that they can be listed; how they stand is read from the log.

The words used here are in GLOSSARY.md.
"""
