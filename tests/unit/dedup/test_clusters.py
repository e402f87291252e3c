"""Clusters are the connected components of a plain search, whatever the bands look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.clusters import MOST, Buckets, cluster, everyone_alone, join


def plain(bands):
    """Breadth-first search over shared hashes."""
    count = len(bands[0])
    label = [-1] * count
    for start in range(count):
        queue = [start] if label[start] < 0 else []
        while queue:
            at = queue.pop()
            if label[at] < 0:
                label[at] = start
                queue += [o for o in range(count) if label[o] < 0 and any(b[o] == b[at] for b in bands)]
    return label


matrices = st.integers(1, 25).flatmap(
    lambda count: st.lists(st.lists(st.integers(0, 12), min_size=count, max_size=count), min_size=1, max_size=4)
)


@given(matrices)
def test_clusters_are_connected_components(bands):
    arrays = [np.array(band, np.uint64) for band in bands]
    labels = cluster(len(bands[0]), len(bands), lambda number: Buckets(arrays[number]))
    assert labels.tolist() == plain(bands)


def test_a_long_chain_is_one_cluster():
    """Every document shares a band with the next one only: the worst case for labels that move step by step."""
    count = 4_000
    numbers = np.random.default_rng(0).permutation(count)
    even, odd = np.empty(count, np.uint64), np.empty(count, np.uint64)
    even[numbers] = np.arange(count) // 2
    odd[numbers] = (np.arange(count) + 1) // 2
    assert set(cluster(count, 2, lambda band: Buckets((even, odd)[band])).tolist()) == {0}


def test_documents_without_a_signature_stay_alone():
    band = np.array([7, 7], np.uint64)
    labels = cluster(4, 1, lambda _: Buckets(band, np.array([1, 3], np.uint32)))
    assert labels.tolist() == [0, 1, 2, 1]


@given(matrices, st.randoms(use_true_random=False))
def test_neither_order_nor_files_nor_machines_change_clusters(bands, choice):
    """Bands in any order, each split by hash into pieces, pieces spread over two machines whose labels meet in the end."""
    arrays = [np.array(band, np.uint64) for band in bands]
    count = len(arrays[0])
    pieces = []
    for array in arrays:
        for rest in range(3):
            where = np.flatnonzero(array % np.uint64(3) == rest)
            choice.shuffle(where)
            pieces.append(Buckets(array[where], where.astype(np.uint32)))
    choice.shuffle(pieces)
    machines = [everyone_alone(count), everyone_alone(count)]
    for piece in pieces:
        join(machines[choice.randrange(2)], piece)
    join(machines[0], Buckets(machines[1].astype(np.uint64)))
    assert machines[0].tolist() == plain(bands)


@given(matrices, st.randoms(use_true_random=False))
def test_numbering_documents_otherwise_keeps_them_together(bands, choice):
    count = len(bands[0])
    places = list(range(count))
    choice.shuffle(places)
    moved = [np.array([band[place] for place in places], np.uint64) for band in bands]
    labels = cluster(count, len(bands), lambda number: Buckets(moved[number])).tolist()
    expected = plain(bands)
    assert len({(label, expected[place]) for label, place in zip(labels, places, strict=True)}) == len(set(expected))
    assert all(labels[label] == label <= number for number, label in enumerate(labels))


def test_more_documents_than_numbers_are_refused():
    with pytest.raises(ValueError, match="more than can be numbered"):
        everyone_alone(MOST + 1)


def test_no_documents():
    assert cluster(0, 2, lambda _: Buckets(np.empty(0, np.uint64))).tolist() == []
