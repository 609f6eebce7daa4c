"""Pure decisions shared by the aggregates: how long a record is kept, what a shield hides, who may look.

The periods, grounds and roles themselves are dated data (`domain/rules`); only the mechanisms stand here.
The words used here are in GLOSSARY.md.
"""
