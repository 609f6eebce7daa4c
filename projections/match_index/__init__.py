"""Blocking keys and comparison fields by which an incoming source record finds its candidates.

The words used here are in GLOSSARY.md.
"""
