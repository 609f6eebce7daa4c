"""The certificates of destruction: each orders one, and says that it was done; none holds anything personal.

The words used here are in GLOSSARY.md.
"""
