"""Proofs of trees of any size, against a naive tree that follows RFC 6962 word for word; tiles of logs that grow."""

import tempfile
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adapters.seals import tree
from adapters.seals.tiles import Edge, Tiles, path_of
from tests.plugins_counts import count
from tests.seals import hashes_over, naive_path, naive_proof, naive_root

LEAVES = [tree.leaf(number.to_bytes(4)) for number in range(1200)]
SIZES = st.integers(1, 300)


@settings(max_examples=count(10_000))
@given(SIZES, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves = LEAVES[:size]
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(hashes_over(leaves), index, size)
    root = naive_root(leaves)
    assert proof == naive_path(index, leaves)
    assert tree.included(proof, index, size, leaves[index], root)
    other = data.draw(st.integers(0, size - 1))
    assert tree.included(proof, other, size, leaves[index], root) == (other == index)
    assert not tree.included([*proof, root], index, size, leaves[index], root)
    if proof:
        assert not tree.included(proof[:-1], index, size, leaves[index], root)
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert not tree.included(proof, index, size, leaves[index], root)


@settings(max_examples=count(10_000))
@given(SIZES, st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    leaves = LEAVES[:size]
    old = data.draw(st.integers(1, size))
    proof = tree.consistency(hashes_over(leaves), old, size)
    roots = naive_root(leaves[:old]), naive_root(leaves)
    assert proof == naive_proof(old, leaves)
    assert tree.consistent(proof, old, roots[0], size, roots[1])
    rewritten = naive_root([*leaves[: old - 1], tree.leaf(b"rewritten")])
    assert not tree.consistent(proof, old, rewritten, size, roots[1])
    assert not tree.consistent(proof, old, roots[0], size, rewritten)
    assert not tree.consistent([*proof, roots[0]], old, roots[0], size, roots[1])
    if proof:
        assert not tree.consistent(proof[:-1], old, roots[0], size, roots[1])
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert not tree.consistent(proof, old, roots[0], size, roots[1])


@settings(max_examples=count(2_000))
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.data())
def test_tiles_of_a_log_that_grows(steps: list[int], data: st.DataObject) -> None:
    """However it is cut, the tree is the same, and what is on disk gives back its edge and every hash."""
    size = sum(steps)
    assume(size <= len(LEAVES))
    entries = [number.to_bytes(4) for number in range(size)]
    with tempfile.TemporaryDirectory() as folder:
        tiles, edge = Tiles(Path(folder)), Edge()
        for step in steps:
            full = edge.grow(entries[edge.size : edge.size + step])
            tiles.write(full | edge.partial())
            assert tiles.edge(edge.size) == edge
            tiles.tidy(full)
        assert edge.root() == naive_root(LEAVES[:size])
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        hashes = tiles.hashes(size)
        assert tree.inclusion(hashes, index, size) == naive_path(index, LEAVES[:size])
        assert tree.consistency(hashes, old, size) == naive_proof(old, LEAVES[:size])
        width = min(256, size - index // 256 * 256)
        assert tiles.entries_of(index // 256, width)[index % 256] == entries[index]


@given(st.integers(0, 10**12), st.integers(1, 256))
def test_paths_of_tiles_sort_as_their_numbers(number: int, width: int) -> None:
    digits = path_of(3, number, width).removeprefix("tile/3/").partition(".p")[0]
    assert int(digits.replace("x", "").replace("/", "")) == number
