"""Looking is a command: searches, openings, refusals and overrides become events before anything is shown.

The grant that a query of personal data asks for is made here and nowhere else. The words used here are in
GLOSSARY.md.
"""
