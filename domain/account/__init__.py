"""The person with access: who they are to the index, their role, and every condition on which they may
look.

The words used here are in GLOSSARY.md.
"""
