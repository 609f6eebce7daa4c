"""The two logs, the views and the embedded server, on PostgreSQL.

The words used here are in GLOSSARY.md.
"""
