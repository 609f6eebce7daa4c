"""The outermost ring: settings, the composition root and the commands. It knows everything and nothing
knows it.

The words used here are in GLOSSARY.md.
"""
