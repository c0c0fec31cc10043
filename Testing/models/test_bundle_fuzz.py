"""Any bytes whatever in place of a bundle: the model that was written, or a UserError; nothing else."""

import copy
import functools
import io
import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OVFRiskLib.errors import UserError
from OVFRiskLib.models import bundle_zip
from OVFRiskLib.models.bundle import Bundle, read_bundle, write_bundle
from OVFRiskLib.models.card import Population
from OVFRiskLib.models.card_file import card_from_dict, card_to_dict

from .cards import changed_at, example_card, example_input
from .test_bundle import Weighed, sums_of, zipped
from .test_card_file import places

FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
SMALL = example_card(
    inputs=(example_input(),), protocols={}, population=Population("few"), thresholds=(), performance=(), training={}
)
OTHERS = [None, True, -1, 1.5, float("nan"), float("inf"), 10**400, "x", "\ud800", "\0", "a" * 30_000]
OTHERS += [[], {}, [[]], {"": None}, [0] * 10_001]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[bytes, Bundle]:
    path = tmp_path_factory.mktemp("bundle") / "m.ovfrisk"
    write_bundle(path, SMALL, Weighed({"w.bin": bytes(range(64))}))
    return path.read_bytes(), read_bundle(path)


def outcome(path: Path, data: bytes) -> Bundle | None:
    """The bundle that the bytes hold; None where they are refused. Whatever else is raised fails the test."""
    path.write_bytes(data)
    try:
        return read_bundle(path)
    except UserError as error:
        return _checked(error)


def _checked(error: UserError) -> None:
    assert error.what.isprintable()  # and so one line
    assert error.what_to_do


def test_truncated_bundles_are_refused(tmp_path, written):
    data, _ = written
    for size in (*range(0, len(data), 7), *range(len(data) - 60, len(data))):
        assert outcome(tmp_path / "m.ovfrisk", data[:size]) is None


def test_every_flipped_bit_is_refused_or_harmless(tmp_path, written):
    data, whole = written
    rng = random.Random(7)
    accepted = 0
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        found = outcome(tmp_path / "m.ovfrisk", bytes(changed))
        assert found in (None, whole)
        accepted += found is not None
    assert accepted < 0.1 * len(data)  # dates, versions and the like in headers, which nobody reads


@FUZZ
@given(seed=st.randoms(use_true_random=False), cuts=st.integers(1, 6))
def test_bundles_cut_and_pasted_are_refused_or_harmless(tmp_path, written, seed, cuts):
    data, whole = written
    changed = bytearray(data)
    for _ in range(cuts):
        start, end = sorted((seed.randrange(len(data)), seed.randrange(len(data))))
        to = seed.randrange(len(data))
        changed[to : to + seed.choice([0, end - start])] = data[start:end]
    assert outcome(tmp_path / "m.ovfrisk", bytes(changed)) in (None, whole)


@FUZZ
@given(tail=st.binary(max_size=200), head=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"]))
def test_bytes_are_refused(tmp_path, tail, head):
    for name in ("m.ovfrisk", "m.json"):
        assert outcome(tmp_path / name, head + tail) is None


@FUZZ
@given(fields=st.dictionaries(st.integers(0, 45), st.integers(0, 255), min_size=1, max_size=6), last=st.booleans())
def test_headers_of_members_are_not_believed(tmp_path, written, fields, last):
    """Several bytes at once in an entry of the list of members, or in its end, with all offsets and sizes."""
    data, whole = written
    start = data.rindex(b"PK\x05\x06" if last else b"PK\x01\x02")
    changed = bytearray(data)
    for place, value in fields.items():
        if start + place < len(changed):
            changed[start + place] = value
    assert outcome(tmp_path / "m.ovfrisk", bytes(changed)) in (None, whole)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
CARD = card_to_dict(example_card())


def as_bundle(values: object) -> bytes:
    members = {"model.json": json.dumps(values).encode()}
    return zipped([*members.items(), ("SHA256SUMS", sums_of(members))])


@FUZZ
@given(values=JSON)
def test_json_that_is_no_card_is_refused(tmp_path, values):
    assert outcome(tmp_path / "m.json", json.dumps(values).encode()) is None
    assert outcome(tmp_path / "m.ovfrisk", as_bundle(values)) is None


@FUZZ
@given(changes=st.dictionaries(st.sampled_from(["schema", "predictor", *CARD, "levels"]), JSON, min_size=1, max_size=2))
def test_cards_with_other_fields_are_refused_or_valid(tmp_path, changes):
    values = {"schema": 1, "predictor": {"kind": "example"}, **CARD, **changes}
    found = outcome(tmp_path / "m.json", json.dumps(values).encode())
    assert found is None or card_from_dict(card_to_dict(found.card), "again") == found.card


def accepted(values: dict) -> bool:
    try:
        card = card_from_dict(values, "model.json")
    except UserError as error:
        _checked(error)
        return False
    return card_from_dict(card_to_dict(card), "again") == card


def test_any_field_of_another_type_is_refused_or_valid():
    radscore, *others = example_card().inputs
    free = replace(radscore, terms=tuple(replace(term, protocol_id="") for term in radscore.terms))
    values = card_to_dict(example_card(inputs=(free, *others), protocols={}))  # protocols are as large as all else
    verdicts = [accepted(changed_at(values, place, other)) for place in places(values) for other in OTHERS]
    assert 0.01 < np.mean(verdicts) < 0.5


def test_any_setting_of_a_protocol_of_another_type_is_refused_or_valid():
    (protocol,) = CARD["protocols"].values()
    everywhere = [("protocols", *CARD["protocols"], *place) for place in places(protocol)]
    for n, place in enumerate(everywhere):
        accepted(changed_at(CARD, place, OTHERS[n % len(OTHERS)]))


def test_any_field_may_be_missing_or_called_otherwise():
    for place in places(CARD):
        if isinstance(place[-1], str):
            values = copy.deepcopy(CARD)
            inner = functools.reduce(lambda found, key: found[key], place[:-1], values)
            removed = inner.pop(place[-1])
            accepted(values)
            inner[f"{place[-1]}_"] = removed
            accepted(values)


def test_bombs_within_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_zip, "MOST_BYTES", 2**20)
    bomb = b"\0" * 2**22
    for _ in range(3):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("model.json", "SHA256SUMS"):
                archive.writestr(name, bomb)
        bomb = file.getvalue()
        assert outcome(tmp_path / "m.ovfrisk", bomb) is None
