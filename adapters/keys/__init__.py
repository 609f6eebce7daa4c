"""Keys of children, staff and periods: where they live, how they are wrapped, moved and destroyed, and how
parts are sealed with them.

The words used here are in GLOSSARY.md.
"""
