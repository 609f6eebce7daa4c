"""The view that practitioners search and open: the best view of each child, and what search may find it
by.

The words used here are in GLOSSARY.md.
"""
