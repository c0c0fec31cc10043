"""PyRadiomics' settings: names, documented defaults and what values they may have.

Those that fix no value have no place here: the region comes as a mask, not as a label.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import UserError
from .weighting import NORMS

INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)

WAVELETS = (
    "haar",
    "dmey",
    *(f"db{n}" for n in range(1, 39)),
    *(f"sym{n}" for n in range(2, 21)),
    *(f"coif{n}" for n in range(1, 18)),
    *(f"{kind}{n}" for kind in ("bior", "rbio") for n in (1.1, 1.3, 1.5, 2.2, 2.4, 2.6, 2.8)),
    *(f"{kind}{n}" for kind in ("bior", "rbio") for n in (3.1, 3.3, 3.5, 3.7, 3.9, 4.4, 5.5, 6.8)),
)
"""The discrete wavelets of PyWavelets (``pywt.wavelist(kind="discrete")``)."""

NO_SETTINGS = {
    "label": "the region is given as a mask",
    "label_channel": "the region is given as a mask",
    "additionalInfo": "diagnostics are always recorded",
    "geometryTolerance": "image and mask must share one grid",
    "correctMask": "image and mask must share one grid",
}
"""PyRadiomics' settings that fix no value, and why there is no need for them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What values a setting may have.

    Parameters
    ----------
    parse : callable
        Returns a value from a file normalised, or raises ValueError saying what it must be.
    schema : mapping
        The same as JSON Schema.
    """

    parse: Callable[[object], object]
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Setting:
    """A default, and how a value from a file is checked.

    Where it is `required` the default is no value, and a file has to give one.
    """

    default: object
    rule: Rule
    required: bool = False


def _parse_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


_BOOLEAN = Rule(_parse_boolean, {"type": "boolean"})
_LARGEST = 1e100


def _number(low: float = -_LARGEST, *, above: bool = False) -> Rule:
    def parse(value: object) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
        if not number or not (value > low if above else value >= low):
            raise ValueError("a number" + ("" if low == -_LARGEST else f"{' above' if above else ' from'} {low:g}"))
        return float(value)

    limit = "exclusiveMinimum" if above or low == -_LARGEST else "minimum"
    return Rule(parse, {"type": "number", limit: low, "exclusiveMaximum": _LARGEST})


def _as_written(rule: Rule) -> Rule:
    """Check a number that stands in names and so is kept as it is: 1 and 1.0 are told apart there."""

    def parse(value: object) -> object:
        rule.parse(value)
        return value

    return Rule(parse, rule.schema)


def _integer(low: int, high: int | None = None) -> Rule:
    def parse(value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        whole = whole or (isinstance(value, float) and value.is_integer())  # JSON does not tell 1.0 from 1
        if not whole or value < low or (high is not None and value > high):
            raise ValueError(f"a whole number from {low}" + ("" if high is None else f" to {high}"))
        return int(value)

    return Rule(parse, {"type": "integer", "minimum": low} | ({} if high is None else {"maximum": high}))


def _choice(*names: str) -> Rule:
    def parse(value: object) -> str:
        if value not in names:
            raise ValueError("one of " + ", ".join(names))
        return value

    return Rule(parse, {"enum": list(names)})


def _optional(rule: Rule) -> Rule:
    def parse(value: object) -> object:
        return None if value is None else rule.parse(value)

    return Rule(parse, {"anyOf": [rule.schema, {"type": "null"}]})


def _list(rule: Rule, shortest: int, longest: int, what: str, *, ordered: bool) -> Rule:
    def parse(value: object) -> list:
        if not isinstance(value, list) or not shortest <= len(value) <= longest:
            raise ValueError(what)
        items = [rule.parse(item) for item in value]
        if not ordered and len(set(items)) < len(items):
            raise ValueError(f"{what}, each once")
        return items if ordered else sorted(items)

    sizes = {"minItems": shortest, "maxItems": longest}
    return Rule(parse, {"type": "array", "items": rule.schema, **sizes} | ({} if ordered else {"uniqueItems": True}))


TEXTURE: Mapping[str, Setting] = {
    "binWidth": Setting(25.0, _number(0, above=True)),
    "binCount": Setting(None, _optional(_integer(1))),
    "distances": Setting([1], _list(_integer(1), 1, 99, "a list of whole numbers from 1", ordered=False)),
    "force2D": Setting(False, _BOOLEAN),
    "force2Ddimension": Setting(0, _integer(0, 2)),
    "gldm_a": Setting(0, _integer(0)),
    "symmetricalGLCM": Setting(True, _BOOLEAN),
    "voxelArrayShift": Setting(0, _integer(-1_000_000)),
    "weightingNorm": Setting(None, _optional(_choice(*NORMS))),
}
"""Settings of the features; an image type may have its own."""

PREPROCESSING: Mapping[str, Setting] = {
    "interpolator": Setting("sitkBSpline", _optional(_choice(*INTERPOLATORS))),
    "minimumROIDimensions": Setting(2, _integer(1, 3)),
    "minimumROISize": Setting(None, _optional(_integer(1))),
    "normalize": Setting(False, _BOOLEAN),
    "normalizeScale": Setting(1.0, _number(0, above=True)),
    "padDistance": Setting(5, _integer(0)),
    "preCrop": Setting(False, _BOOLEAN),
    "removeOutliers": Setting(None, _optional(_number(0, above=True))),
    "resampledPixelSpacing": Setting(
        None, _optional(_list(_number(0), 3, 3, "three spacings in mm (i, j, k; 0 keeps the image's)", ordered=True))
    ),
    "resegmentMode": Setting("absolute", _choice("absolute", "relative", "sigma")),
    "resegmentRange": Setting(None, _optional(_list(_number(), 1, 2, "one or two thresholds", ordered=False))),
    "resegmentShape": Setting(False, _BOOLEAN),
}
"""Settings of what happens to image and mask before features, once for all image types."""

OURS: Mapping[str, Setting] = {"canonicalOrientation": Setting(False, _BOOLEAN)}
"""Settings that PyRadiomics does not have; a protocol holds them where they are not at their default only, so that ids
of protocols without them stay.

canonicalOrientation: image and mask are described with i, j, k growing towards left, posterior and superior (LPS, as
scanners store axial CT) whatever their axes in the file, and as if they stood at the origin. Else values depend on how
a volume is stored: it decides where voxels lie halfway between two, and which axis a direction or sub-band is.
"""


FILTERS: Mapping[str, Mapping[str, Setting]] = {
    "Original": {},
    "LoG": {
        "sigma": Setting(
            None,
            _list(_as_written(_number(0, above=True)), 1, 99, "a list of widths in mm, above 0", ordered=False),
            required=True,
        )
    },
    "Wavelet": {
        "level": Setting(1, _integer(1, 10)),  # 2^10 voxels: wider than any image
        "start_level": Setting(0, _integer(0, 9)),
        "wavelet": Setting("coif1", _choice(*WAVELETS)),
    },
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {"gradientUseSpacing": Setting(True, _BOOLEAN)},
    "LBP2D": {
        "lbp2DMethod": Setting("uniform", _choice("default", "ror", "uniform", "var")),
        "lbp2DRadius": Setting(1.0, _number(0, above=True)),
        "lbp2DSamples": Setting(8, _integer(1, 30)),
    },
    "LBP3D": {
        "lbp3DIcosphereRadius": Setting(1.0, _number(0, above=True)),
        "lbp3DIcosphereSubdivision": Setting(1, _integer(0, 4)),
        "lbp3DLevels": Setting(2, _integer(1, 10)),
    },
}
"""Settings of the filters, by image type; each may also have its own TEXTURE."""


def parsed(values: object, known: Mapping[str, Setting], where: str) -> dict[str, object]:
    """Return `values`, checked and normalised, in order of name.

    Parameters
    ----------
    values : object
        What a file says; must be a mapping of setting names to values.
    known : mapping of str to Setting
        What may be set here.
    where : str
        How to call the place in messages.

    Raises
    ------
    UserError
        Names the unknown setting, or the one with a wrong value.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where} must be an object of settings.", 'Write {"name": value, ...}; {} for none.')
    return {name: _parse(name, values[name], known, where) for name in sorted(values, key=str)}


def _parse(name: str, value: object, known: Mapping[str, Setting], where: str) -> object:
    if name not in known:
        why = f"{NO_SETTINGS[name]}: remove it" if name in NO_SETTINGS else f"known here are {', '.join(sorted(known))}"
        raise UserError(f"{where}: there is no setting '{name}'.", f"{why[0].upper()}{why[1:]}.")
    try:
        return known[name].rule.parse(value)
    except ValueError as error:
        raise UserError(f"{where}: {name} cannot be {value!r}.", f"It must be {error}.") from None
