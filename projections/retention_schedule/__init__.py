"""What falls due, when and under which rule, for every state that a record can be in.

The words used here are in GLOSSARY.md.
"""
