"""Which ids stood before is what a set says, whatever the batches; a hash depends on the id alone."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.serving import id_hashes
from leadlift.serving.id_hashes import IdsSeen, hash_ids

HASHES = [
    0,
    6647017024614060783,
    13559922880703682003,
    12441060892146439980,
    2080614306983305429,
    1533152188014638354,
]

texts = st.one_of(st.none(), st.text(max_size=40), st.text(min_size=300, max_size=400))


@settings(deadline=None)
@given(st.lists(texts, max_size=60), st.data())
def test_a_hash_depends_on_the_id_alone(ids, data):
    start = data.draw(st.integers(0, len(ids)))
    alone = [hash_ids(pa.array([each], pa.string()))[0] for each in ids]
    whole = pa.array(["other", *ids], pa.string()).slice(1)
    assert hash_ids(whole).tolist() == alone
    parts = pa.chunked_array([whole.slice(0, start), whole.slice(start)])
    assert hash_ids(parts).tolist() == alone


def test_the_hashes_are_those_of_every_machine():
    ids = pa.array(["", "L1", "12345678", "123456789", "Zoë", "x" * 300])
    assert hash_ids(ids).tolist() == HASHES


def test_ids_that_differ_by_little_have_different_hashes():
    ids = [f"{kind}{i}{end}" for kind in ("L", "l", "") for i in range(20_000) for end in ("", "0", "\0")]
    ids = list(dict.fromkeys(ids))
    assert len(np.unique(hash_ids(pa.array(ids)))) == len(ids)


def test_every_bit_of_a_hash_is_as_often_set_as_not():
    hashes = hash_ids(pa.array([str(i) for i in range(20_000)]))
    bits = np.unpackbits(hashes.view(np.uint8)).reshape(len(hashes), 64)
    # Six standard errors of a share of one half.
    np.testing.assert_allclose(bits.mean(axis=0), 0.5, atol=6 * 0.5 / np.sqrt(len(hashes)))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=12))
def test_what_stood_before_is_what_a_set_says(batches):
    # Hashes that share places of the filter, and some that do not.
    seen, stood = IdsSeen(), set()
    for batch in batches:
        hashes = np.array([value % 16 << 60 | value for value in batch], dtype=np.uint64)
        repeated = seen.repeated(hashes)
        for value, is_repeated in zip(batch, repeated, strict=True):
            assert is_repeated == (value in stood)
            stood.add(value)


def test_long_runs_are_not_merged_and_forget_nothing(monkeypatch):
    monkeypatch.setattr(id_hashes, "_LONGEST_RUN", 64)
    rng = np.random.default_rng(0)
    hashes, seen = rng.integers(0, 2**64, 2_000, dtype=np.uint64), IdsSeen()
    for start in range(0, len(hashes), 50):
        assert not seen.repeated(hashes[start : start + 50]).any()
    assert seen.repeated(hashes[::-1]).all()
