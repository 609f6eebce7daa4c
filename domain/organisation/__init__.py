"""An organisation whose people may look or which supplies data: its kind, its area, its standing.

The words used here are in GLOSSARY.md.
"""
