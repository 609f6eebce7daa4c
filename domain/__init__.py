"""What is true and what is allowed: events, commands, and the two pure functions of each aggregate.

Nothing here reads a clock, makes an id or talks to anything outside; what it needs it names as a port.
The words used here are in GLOSSARY.md.
"""
