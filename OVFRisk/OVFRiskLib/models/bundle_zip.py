"""The zip file of a bundle, in memory: nothing of it is ever written to a folder or run."""

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from ..errors import UserError
from .card_reading import short

SUMS = "SHA256SUMS"
MOST_BYTES = 256 * 2**20
"""Of all members together, and of the file."""

_MOST_MEMBERS = 32
_MOST_SIGNATURES = 100_000  # of entries of a list of members: bounds the memory that reading the list takes
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_SUM = re.compile(rf"([0-9a-f]{{64}}) [ *]({_NAME.pattern})")
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DOS_FOLDER = 0x10
_HELP = "Get the file again from where it came from; do not use it if it stays so."
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, struct.error, OverflowError)


def unpack(data: bytes, where: str) -> dict[str, bytes]:
    """Return the members of a zip file by name, checked against its ``SHA256SUMS``, which is left out.

    Raises
    ------
    UserError
        When it is no zip file, damaged, or anything in it is not as `pack` writes it.
    """
    if data.count(b"PK\x01\x02") > _MOST_SIGNATURES:
        raise _refused(where, "has too many members")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive.infolist(), where)
            members = _read_all(archive, where)
    except _DAMAGE as error:
        raise _refused(where, f"is no zip file, or damaged ({short(str(error))})") from error
    _check_sums(members, where)
    return {name: content for name, content in members.items() if name != SUMS}


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip file of the members and their ``SHA256SUMS``; the same members always give the same bytes.

    It is not compressed: what compression gives depends on the version of the library that does it.
    """
    sums = "".join(f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted({**members, SUMS: sums.encode()}.items()):
            entry = zipfile.ZipInfo(name)  # of 1980-01-01
            entry.create_system = 3  # else it depends on the machine
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return file.getvalue()


def _refused(where: str, why: str) -> UserError:
    return UserError(f"{where} {why}.", _HELP)


def _check_entries(entries: list[zipfile.ZipInfo], where: str) -> None:
    if len(entries) > _MOST_MEMBERS:
        raise _refused(where, f"has {len(entries)} members; at most {_MOST_MEMBERS} are possible")
    names = [entry.filename for entry in entries]
    for entry in entries:
        why = _fault(entry, names)
        if why:
            raise _refused(f"{where}: the member '{short(entry.orig_filename)}'", why)


def _fault(entry: zipfile.ZipInfo, names: list[str]) -> str:
    """Return why a member is refused; empty where it is as it should be."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    faults = {
        "is no plain file": kind not in (0, stat.S_IFREG)
        or entry.external_attr & _DOS_FOLDER
        or entry.filename.endswith("/"),
        "has a name that is not allowed": entry.orig_filename != entry.filename or not _NAME.fullmatch(entry.filename),
        "is there twice": names.count(entry.filename) > 1,
        "is encrypted": entry.flag_bits & _ENCRYPTED,
        "is compressed in another way than deflated": entry.compress_type not in _COMPRESSIONS,
    }
    return next((why for why, found in faults.items() if found), "")


def _read_all(archive: zipfile.ZipFile, where: str) -> dict[str, bytes]:
    """Return all members; what the headers say of their sizes is checked, not believed."""
    members: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise _refused(where, f"holds more than {MOST_BYTES // 2**20} MiB")
        if len(content) != entry.file_size:
            raise _refused(f"{where}: the member '{entry.filename}'", "has another size than it says")
        members[entry.filename] = content
    return members


def _check_sums(members: Mapping[str, bytes], where: str) -> None:
    if SUMS not in members:
        raise _refused(where, f"has no {SUMS}")
    listed = _listed(members[SUMS], where)
    _same_names(listed, members.keys() - {SUMS}, where)
    for name, expected in listed.items():
        if hashlib.sha256(members[name]).hexdigest() != expected:
            raise _refused(f"{where}: '{name}'", f"was changed: its sum is not the one in {SUMS}")


def _listed(data: bytes, where: str) -> dict[str, str]:
    """Return the sums by name."""
    text = data.decode("ascii", errors="replace")
    found = [_SUM.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    listed = {match[2]: match[1] for match in found if match}
    if len(listed) != len(found):
        raise _refused(where, f"has a {SUMS} that is not as sha256sum writes it, each name once")
    return listed


def _same_names(listed: Iterable[str], there: Iterable[str], where: str) -> None:
    for name in sorted(set(listed) ^ set(there)):
        why = f"is listed in its {SUMS} but missing" if name in listed else f"is not listed in its {SUMS}"
        raise _refused(f"{where}: '{short(name)}'", why)
