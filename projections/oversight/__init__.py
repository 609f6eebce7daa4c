"""What waits for somebody's decision on what staff did or are to do: proposals and
investigations; each is read from the log when it is listed.

The words used here are in GLOSSARY.md.
"""
