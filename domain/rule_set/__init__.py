"""The rule sets that law and practice change: adopted by an event, valid from a date, never deleted once
used.

The words used here are in GLOSSARY.md.
"""
