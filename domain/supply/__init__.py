"""What was supplied: files received, which records rest on them, and source records held back for a human
decision.

The words used here are in GLOSSARY.md.
"""
