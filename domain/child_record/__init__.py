"""The record of one child: what each source asserted, who is involved, whether it is shielded, archived or
destroyed.

The words used here are in GLOSSARY.md.
"""
