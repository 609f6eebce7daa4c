"""Acts that need two people: one proposes, another confirms what is done, in time; each proposal is a stream.

The words used here are in GLOSSARY.md.
"""
