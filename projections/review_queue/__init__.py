"""The source records that are held back, each by what anybody may know of it: that there is one, and since when.

The words used here are in GLOSSARY.md.
"""
