"""The benchmarks behind `bench`: what is measured, the yardsticks beside it, and how the two are compared.

The words used here are in GLOSSARY.md.
"""
