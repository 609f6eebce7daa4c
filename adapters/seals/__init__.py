"""What makes the logs prove themselves: a Merkle tree over each, as static files, under signed checkpoints.

Trees are those of RFC 6962 section 2.1, files and notes those of C2SP (tlog-tiles, tlog-checkpoint, signed-note,
tlog-cosignature, tlog-witness, tlog-proof), so that verifiers which we did not write accept them. The words are in
GLOSSARY.md, the bytes in docs/stored-forms.md, what it proves in docs/seals.md.
"""
