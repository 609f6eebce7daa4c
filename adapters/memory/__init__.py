"""The ports answered in memory: real adapters, verified by the same contract suites, for unit and property
tests.

The words used here are in GLOSSARY.md.
"""
