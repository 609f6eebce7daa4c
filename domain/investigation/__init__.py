"""Looking into what somebody did with their access: opened by an override or a flag, taken by somebody, closed.

The words used here are in GLOSSARY.md.
"""
