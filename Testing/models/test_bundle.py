"""Bundles: what is written is read again, byte for byte the same; whatever else lies in a zip is refused."""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models import bundle_zip
from OVFRiskLib.models.bundle import read_bundle, write_bundle
from OVFRiskLib.models.card import Origin
from OVFRiskLib.models.card_file import card_to_dict

from .cards import example_card

WEIGHTS = {"predictor.bin": bytes(range(256)) * 4, "more.json": b"{}"}


@dataclass(frozen=True)
class Weighed:
    """Stands for a predictor: only its parts matter here."""

    weights: dict = field(default_factory=lambda: WEIGHTS)
    kind: str = "example"

    def parts(self):
        return {"kind": self.kind, "seed": 7}, self.weights


def model_json(**changes) -> bytes:
    values = {"schema": 1, "predictor": {"kind": "example"}, **card_to_dict(example_card()), **changes}
    return json.dumps(values).encode()


def sums_of(members: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members.items()).encode()


def zipped(members, compression=zipfile.ZIP_STORED, **entry_fields) -> bytes:
    """A zip file of (name, data) pairs; `entry_fields` are set on the entry of each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name, data in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            for key, value in entry_fields.items():
                setattr(entry, key, value)
            archive.writestr(entry, data)
    return file.getvalue()


def whole(extra: dict[str, bytes] | None = None, **more) -> bytes:
    """A bundle made without our own writer, with all its sums."""
    members = {"model.json": model_json(), **(extra or {})}
    return zipped([*members.items(), ("SHA256SUMS", sums_of(members))], **more)


def refusal(tmp_path: Path, data: bytes, name: str = "m.ovfrisk") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError) as found:
        read_bundle(path)
    assert "\n" not in found.value.what
    assert found.value.what.startswith(name)
    assert found.value.what_to_do
    return found.value.what


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "m.ovfrisk"
    write_bundle(path, example_card(), Weighed())
    found = read_bundle(path)
    assert found.card == example_card()
    assert found.predictor == {"kind": "example", "seed": 7}
    assert found.parts == WEIGHTS
    assert [file.name for file in tmp_path.iterdir()] == ["m.ovfrisk"]


def test_a_model_without_weights_may_be_its_json_alone(tmp_path):
    for name in ("m.json", "m.ovfrisk"):
        write_bundle(tmp_path / name, example_card(), Weighed({}))
    assert read_bundle(tmp_path / "m.json") == read_bundle(tmp_path / "m.ovfrisk")
    with pytest.raises(UserError, match=r"has weights: predictor\.bin"):
        write_bundle(tmp_path / "n.json", example_card(), Weighed())


def test_where_nothing_is_published_there_is_no_predictor(tmp_path):
    card = example_card(origin=Origin.NOT_PUBLISHED)
    write_bundle(tmp_path / "m.ovfrisk", card, None)
    assert read_bundle(tmp_path / "m.ovfrisk").predictor is None
    for wrong, predictor in ((card, Weighed({})), (example_card(), None)):
        with pytest.raises(UserError, match="predictor: must be null exactly where origin is 'not published'"):
            write_bundle(tmp_path / "n.ovfrisk", wrong, predictor)
    assert not (tmp_path / "n.ovfrisk").exists()


def test_the_sums_are_those_of_coreutils(tmp_path):
    if shutil.which("sha256sum") is None:
        pytest.skip("there is no sha256sum")
    write_bundle(tmp_path / "m.ovfrisk", example_card(), Weighed())
    with zipfile.ZipFile(tmp_path / "m.ovfrisk") as archive:
        archive.extractall(tmp_path)
        assert archive.namelist() == sorted(["SHA256SUMS", "model.json", *WEIGHTS])
    run = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=True)
    assert run.stdout.decode().split("\n")[:3] == ["model.json: OK", "more.json: OK", "predictor.bin: OK"]


def test_sums_of_coreutils_are_read(tmp_path):
    if shutil.which("sha256sum") is None:
        pytest.skip("there is no sha256sum")
    (tmp_path / "model.json").write_bytes(model_json())
    for mode in ("--text", "--binary"):
        sums = subprocess.run(["sha256sum", mode, "model.json"], cwd=tmp_path, capture_output=True, check=True).stdout
        (tmp_path / "m.ovfrisk").write_bytes(zipped([("model.json", model_json()), ("SHA256SUMS", sums)]))
        assert read_bundle(tmp_path / "m.ovfrisk").card == example_card()


_ELSEWHERE = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from models.test_bundle import Weighed, WEIGHTS, example_card, write_bundle
write_bundle(Path(sys.argv[2]), example_card(), Weighed(dict(reversed(WEIGHTS.items()))))
"""


def test_the_same_model_gives_the_same_bytes_everywhere(tmp_path):
    first, second = tmp_path / "a.ovfrisk", tmp_path / "b.ovfrisk"
    write_bundle(first, example_card(), Weighed())
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": paths}
    command = [sys.executable, "-c", _ELSEWHERE, Path(__file__).parents[1], second]
    subprocess.run(command, env=environment, check=True)
    assert first.read_bytes() == second.read_bytes()


def test_the_id_is_of_the_content_not_of_the_file(tmp_path):
    card = example_card()
    write_bundle(tmp_path / "m.json", card, Weighed({}))
    values = json.loads((tmp_path / "m.json").read_text("utf-8"))
    (tmp_path / "n.json").write_text(json.dumps({"$schema": "x", **dict(reversed(values.items())), "levels": []}))
    found = read_bundle(tmp_path / "m.json").id
    assert read_bundle(tmp_path / "n.json").id == found
    assert found.startswith("example-1.0-")
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    assert found.removeprefix("example-1.0-") == hashlib.sha256(canonical.encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("card", "predictor"),
    [
        (example_card(not_for="Children."), Weighed()),
        (example_card(), Weighed(kind="other")),
        (example_card(), Weighed({**WEIGHTS, "more.json": b"[]"})),
        (example_card(), Weighed({"predictor.bin": WEIGHTS["predictor.bin"], "less.json": b"{}"})),
    ],
)
def test_whatever_changes_changes_the_id(tmp_path, card, predictor):
    write_bundle(tmp_path / "a.ovfrisk", example_card(), Weighed())
    write_bundle(tmp_path / "b.ovfrisk", card, predictor)
    assert read_bundle(tmp_path / "a.ovfrisk").id != read_bundle(tmp_path / "b.ovfrisk").id


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "m.ovfrisk"
    write_bundle(path, example_card(), Weighed())
    before = path.read_bytes()
    with pytest.raises(UserError, match="name"):
        write_bundle(path, example_card(name="Not A Name"), Weighed())
    with pytest.raises(UserError, match="cannot be written"):
        write_bundle(path / "below.ovfrisk", example_card(), Weighed())
    assert [file.name for file in tmp_path.iterdir()] == ["m.ovfrisk"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["m.zip", "m", "m.pkl"])
def test_other_suffixes_are_no_models(tmp_path, name):
    assert refusal(tmp_path, whole(), name) == f"{name} is no model."
    with pytest.raises(UserError, match=r"Give it the suffix \.ovfrisk"):
        write_bundle(tmp_path / name, example_card(), Weighed())


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "m.ovfrisk", tmp_path / "m.json"):
        with pytest.raises(UserError, match=f"{path} cannot be read"):
            read_bundle(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_other_writers_are_read(tmp_path, compression):
    path = tmp_path / "m.ovfrisk"
    path.write_bytes(whole({"w.bin": b"abc" * 1000}, compression=compression))
    assert read_bundle(path).parts == {"w.bin": b"abc" * 1000}


def test_a_comment_and_what_lies_around_are_harmless(tmp_path):
    path = tmp_path / "m.ovfrisk"
    path.write_bytes(whole())
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"rm -rf /" * 100
    for data in (path.read_bytes(), b"#!/bin/sh\n" + whole(), whole() + b"rm -rf /" * 100):
        path.write_bytes(data)
        assert read_bundle(path).card == example_card()


BAD_NAMES = [
    "",
    "a/b.bin",
    "../b.bin",
    "/b.bin",
    "a\\b.bin",
    "C:b.bin",
    ".b",
    "..",
    "bé.bin",
    "b\n.bin",
    "b .bin",
    "x" * 101,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_could_lead_elsewhere_are_refused(tmp_path, name):
    assert "has a name that is not allowed" in refusal(tmp_path, whole({name: b""}))


def test_a_name_that_ends_at_a_zero_byte_is_refused(tmp_path):
    data = whole({"b.binX.txt": b""}).replace(b"b.binX.txt", b"b.bin\0.txt")
    assert "has a name that is not allowed" in refusal(tmp_path, data)


def test_folders_and_links_are_refused(tmp_path):
    assert "is no plain file" in refusal(tmp_path, whole({"folder/": b""}))
    for attributes in ((stat.S_IFLNK | 0o777) << 16, (stat.S_IFDIR | 0o755) << 16, 0x10, (stat.S_IFIFO | 0o644) << 16):
        assert "is no plain file" in refusal(tmp_path, whole(external_attr=attributes))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, compression):
    assert "is compressed in another way than deflated" in refusal(tmp_path, whole(compression=compression))


def test_encrypted_members_are_refused(tmp_path):
    data = bytearray(whole())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert "is encrypted" in refusal(tmp_path, bytes(data))


def test_too_many_members_are_refused(tmp_path):
    assert "has 34 members" in refusal(tmp_path, whole({f"w{n}": b"" for n in range(32)}))
    assert "too many members" in refusal(tmp_path, b"PK\x01\x02" * 100_001)


def test_members_must_be_those_that_are_listed(tmp_path):
    good = {"model.json": model_json(), "w.bin": b"w"}
    listed = ("SHA256SUMS", sums_of(good))
    cases = {
        "m.ovfrisk: 'x.bin' is not listed in its SHA256SUMS.": [*good.items(), ("x.bin", b""), listed],
        "m.ovfrisk: 'w.bin' is listed in its SHA256SUMS but missing.": [("model.json", model_json()), listed],
        "m.ovfrisk: 'w.bin' was changed: its sum is not the one in SHA256SUMS.": [
            ("model.json", model_json()),
            ("w.bin", b"v"),
            listed,
        ],
        "m.ovfrisk: the member 'w.bin' is there twice.": [*good.items(), ("w.bin", b"v"), listed],
        "m.ovfrisk has no SHA256SUMS.": [*good.items()],
        "m.ovfrisk has no model.json.": [("w.bin", b"w"), ("SHA256SUMS", sums_of({"w.bin": b"w"}))],
    }
    for expected, members in cases.items():
        assert refusal(tmp_path, zipped(members)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda sums: sums + sums,
        lambda sums: sums + b"\n",
        lambda sums: sums.replace(b"  ", b" "),
        lambda sums: sums[1:],
        lambda sums: sums + b"\xff",
        lambda sums: sums.replace(b"\n", b"\r\n"),
        lambda _: b"",
    ],
)
def test_sums_that_are_not_of_coreutils_are_refused(tmp_path, change):
    sums = change(sums_of({"model.json": model_json()}))
    assert "as sha256sum writes it" in refusal(tmp_path, zipped([("model.json", model_json()), ("SHA256SUMS", sums)]))


def test_an_error_of_the_checksum_is_refused(tmp_path):
    data = whole({"w.bin": b"weights"}).replace(b"weights", b"weighty", 1)
    assert "damaged (Bad CRC-32 for file 'w.bin')" in refusal(tmp_path, data)


def test_bombs_are_refused_whatever_their_headers_say(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_zip, "MOST_BYTES", 2**20)
    bomb = whole({"w.bin": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    assert "holds more than 1 MiB" in refusal(tmp_path, bomb)
    small = (1000).to_bytes(4, "little")
    liar = bomb.replace((2**20).to_bytes(4, "little"), small)
    assert liar.count(small) >= 2  # in both headers
    assert "damaged" in refusal(tmp_path, liar)


def test_a_member_that_is_shorter_than_it_says_is_refused(tmp_path):
    data = whole({"w.bin": bytes(5000)}, compression=zipfile.ZIP_DEFLATED)
    longer = data.replace((5000).to_bytes(4, "little"), (6000).to_bytes(4, "little"))
    assert "'w.bin' has another size than it says" in refusal(tmp_path, longer)


JSONS = {
    "newer": (model_json(schema=2), "was made by a newer OVFRisk"),
    "schema 0": (model_json(schema=0), "no 'schema'"),
    "schema true": (model_json(schema=True), "no 'schema'"),
    "schema text": (model_json(schema="1"), "no 'schema'"),
    "schema 1.5": (model_json(schema=1.5), "no 'schema'"),
    "schema null": (model_json(schema=None), "no 'schema'"),
    "huge schema": (model_json().replace(b'"schema": 1', b'"schema": 1' + b"0" * 4000), "a newer OVFRisk"),
    "no predictor": (model_json().replace(b'"predictor"', b'"predicter"'), "'predictor' is missing"),
    "no kind": (model_json(predictor={}), "predictor: must be an object with its 'kind'"),
    "kind is empty": (model_json(predictor={"kind": ""}), "predictor: must be"),
    "kind is a number": (model_json(predictor={"kind": 3}), "predictor: must be"),
    "predictor is a list": (model_json(predictor=["kind"]), "predictor: must be"),
    "$schema is a number": (model_json(**{"$schema": 1}), "$schema: must be text"),
    "huge number": (model_json(predictor={"kind": "x", "a": [10**200]}), "predictor.a[0]: must be a number"),
    "key twice": (model_json().replace(b'"schema": 1', b'"schema": 1, "schema": 1'), "'schema' stands twice"),
    "NaN": (model_json(predictor={"kind": "x", "a": float("nan")}), "NaN is no number"),
    "-Infinity": (model_json(predictor={"kind": "x", "a": float("-inf")}), "-Infinity is no number"),
    "1e999": (model_json(predictor={"kind": "x", "a": 7}).replace(b"7}", b"1e999}", 1), "1e999 is too large"),
    "5,000 digits": (model_json(predictor={"a": 7}).replace(b"7}", b"7" * 5000 + b"}", 1), "Exceeds the limit"),
    "100,000 deep": (b"[" * 100_000, "nested too deeply"),
    "50 deep": (model_json(training={"a": json.loads("[" * 50 + "]" * 50)}), "nested more than 40 deep"),
    "surrogate": (model_json(training={"a": "\ud800"}), "training.a: must be text"),
    "list": (b"[]", "no 'schema'"),
    "null": (b"null", "no 'schema'"),
    "empty": (b"", "is no valid JSON"),
    "cut off": (model_json()[:-1], "is no valid JSON"),
    "UTF-16": (model_json().decode().encode("utf-16"), "is no text in UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf" + model_json(), "is no valid JSON"),
}


@pytest.mark.parametrize("case", JSONS)
def test_a_model_json_that_is_wrong_is_refused(tmp_path, case):
    data, expected = JSONS[case]
    assert expected in refusal(tmp_path, data, "m.json")
    members = {"model.json": data}
    assert expected in refusal(tmp_path, zipped([*members.items(), ("SHA256SUMS", sums_of(members))]))


def test_a_model_json_that_is_too_large_is_refused(tmp_path):
    data = model_json() + b" " * 16 * 2**20
    assert "larger than 16 MiB" in refusal(tmp_path, data, "m.json")
    members = {"model.json": data}
    assert "larger than 16 MiB" in refusal(tmp_path, zipped([*members.items(), ("SHA256SUMS", sums_of(members))]))


def test_weights_without_a_predictor_are_refused(tmp_path):
    members = {"model.json": model_json(predictor=None, origin="not published"), "w.bin": b"w"}
    assert "there are weights (w.bin)" in refusal(
        tmp_path, zipped([*members.items(), ("SHA256SUMS", sums_of(members))])
    )
