"""An invented English population, as the national sources would report it, with the truth of who is who beside it.

Pure: it gives lines, block by block, the same for the same seed on every machine. `shares.py` holds how often each
thing happens, `vocabulary.py` the invented and common words, `people.py` who lives, `slips.py` what a source gets
wrong, `records.py` how each source writes it down. The words used here are in GLOSSARY.md.
"""
