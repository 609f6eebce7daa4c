"""Record linkage in three stages: normalise the fields, compare a pair, decide about the pair.

The words used here are in GLOSSARY.md.
"""
