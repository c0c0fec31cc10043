"""Which settings of two protocols differ."""

from collections.abc import Iterator

from .protocol import Protocol
from .settings import OURS

Row = tuple[str, object, object]
"""A setting, and its value in either protocol; True and False where it is a matter of being there."""


def differences(a: Protocol, b: Protocol) -> tuple[Row, ...]:
    """Return what differs in values or names between two protocols, defaults included; texts do not count.

    Returns
    -------
    tuple of (str, object, object)
        E.g. ``("setting binWidth", 25.0, 5.0)``, ``("imageType LoG sigma", [1.0], [1.0, 3.0])``,
        ``("imageType Wavelet", True, False)``, ``("featureClass glcm Idmn", True, False)``.
    """
    return (*_settings(a, b), *_image_types(a, b), *_features(a, b))


def _settings(a: Protocol, b: Protocol) -> Iterator[Row]:
    ours, theirs = ({name: known.default for name, known in OURS.items()} | p.setting for p in (a, b))
    for name, value in ours.items():
        if value != theirs[name]:
            yield f"setting {name}", value, theirs[name]


def _image_types(a: Protocol, b: Protocol) -> Iterator[Row]:
    for kind in dict.fromkeys((*a.image_type, *b.image_type)):
        there = kind in a.image_type, kind in b.image_type
        if all(there):
            yield from _own_settings(a, b, kind)
        else:
            yield (f"imageType {kind}", *there)


def _own_settings(a: Protocol, b: Protocol, kind: str) -> Iterator[Row]:
    """Yield what one of them sets for this image type and comes out otherwise than in the other."""
    ours, theirs = a.settings_of(kind), b.settings_of(kind)
    for name in dict.fromkeys((*a.image_type[kind], *b.image_type[kind])):
        if ours[name] != theirs[name] or repr(ours[name]) != repr(theirs[name]):  # sigma 1 and 1.0: other names
            yield f"imageType {kind} {name}", ours[name], theirs[name]


def _features(a: Protocol, b: Protocol) -> Iterator[Row]:
    for group in dict.fromkeys((*a.feature_class, *b.feature_class)):
        ours, theirs = (set(protocol.feature_class.get(group, ())) for protocol in (a, b))
        if not ours or not theirs:
            yield f"featureClass {group}", bool(ours), bool(theirs)
        else:
            yield from (
                (f"featureClass {group} {name}", name in ours, name in theirs) for name in sorted(ours ^ theirs)
            )
