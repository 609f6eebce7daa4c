"""OpenID Connect and what programs sign: tokens of others are read here, and nothing of them is believed unchecked.

A relying party for the command line (OpenID Connect Core 1.0; RFC 6749 with RFC 7636 and RFC 8252; RFC 8628), and the
reading of assertions by which programs prove who they are (RFC 7523). Signatures are joserfc's.

The words used here are in GLOSSARY.md.
"""
