"""What a synthetic patient is made of: everything that is set, and where it is drawn from when it is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from ..anatomy import Structure, VertebralLevel
from ..attenuation.phase import Phase
from ..errors import UserError
from .dimensions import LEVELS, LIKE, Anatomy
from .fractures import Fracture
from .lesions import Lesion
from .mr_changes import Motion, check_shading, checked_acquisition, checked_motion, checked_stenosis

VBQ_LEVELS = tuple(VertebralLevel.span("L1-L4"))
MUSCLES = (
    Structure.ERECTOR_SPINAE_LEFT,
    Structure.ERECTOR_SPINAE_RIGHT,
    Structure.PSOAS_LEFT,
    Structure.PSOAS_RIGHT,
)
_WOMEN = 0.4  # in standard deviations: about two thirds, as in fracture cohorts
_FINEST_MM, _COARSEST_MM = 0.4, 6.0
# Rise of the marrow's attenuation at L1: 128.8 HU to 142.3 and 147.0 HU (Pompe et al., Eur Radiol 2015;25:283-289,
# abstract, patients without malignancy).
_MARROW_RISE_HU = {Phase.NONE: 0.0, Phase.ARTERIAL: 13.5, Phase.PORTAL_VENOUS: 18.2}
# Relative to L1: thoracic bodies are denser, mid-lumbar ones least dense.
_LEVEL_FACTOR = dict(zip(LEVELS, (1.16, 1.12, 1.06, 1.0, 0.96, 0.94, 0.95, 1.01, 0.92), strict=True))


@dataclass(frozen=True)
class PhantomSettings:
    """Everything that makes one synthetic patient. What is not given is drawn from `seed` and then stands here.

    Parameters
    ----------
    seed : int
        The same settings give the same patient.
    spacing : float or sequence of 3 floats
        CT voxel size along i (left), j (posterior), k (head), mm.
    fractures : sequence of Fracture
        At most one a level.
    sex, age : str, float
        Of the synthetic patient, ``F`` or ``M``; years.
    size : float
        Factor on all lengths of the skeleton.
    stoutness : float
        Factor on the subcutaneous and abdominal fat.
    sacral_slope, lordosis : float
        Of the S1 end plate against the horizontal, degrees; factor on the wedging of the discs.
    scoliosis : float
        Sideways tilt at the thoracolumbar junction against the sacrum, degrees.
    cancellous_hu : mapping of VertebralLevel to float
        Mean attenuation of the cancellous bone, HU, T10 to S1.
    texture_hu : float
        Standard deviation of the trabecular pattern before blur, HU.
    cortical_hu, cortical_thickness : float
        Of the bodies' shell, HU and mm.
    muscle_hu, fat_hu : float
        Lean muscle and pure fat, HU.
    muscle_fat_fraction : mapping of Structure to float
        Share of fat in each muscle, 0 to 1.
    rods : sequence of float
        Densities of the calibration rods, mg/cm³, from the patient's right to left.
    rod_line : (slope, intercept)
        HU = slope x density + intercept.
    psf_fwhm, noise_hu : float
        Scanner blur, mm (in every direction), and noise of the CT as stored, HU.
    vbq : mapping of str to float
        VBQ score per sequence ``t1``, ``t2``, ``stir``.
    csf_signal : mapping of str to float
        Signal of CSF per sequence.
    mr_pixel, mr_slice, mr_noise : float
        In-plane pixel and slice distance, mm; standard deviation of the noise in each channel, signal units.
    bias_field : float
        Relative signal change of the MR images over the field of view; 0 is none.
    position : sequence of 3 floats
        RAS of the middle of L3, mm.
    anatomy : Anatomy
        ``usual``, ``T13``, ``L6`` or ``sacralised-L5``.
    lesions : sequence of Lesion
        At most one of a kind a level.
    phase : Phase
        Contrast phase of the CT.
    marrow_enhancement_hu : float or None
        What the contrast medium adds to all marrow, HU; None for a typical rise (`enhancement_hu`).
    label_organs : bool
        Draw the portal vein and label it, aorta, vena cava and kidneys; in a contrast phase that is always done.
    shading_percent : float
        Signal of L1's middle over that of L4's middle, as percent of the mean of both: a gradient along head to foot.
    motion : mapping of str to (anterior, up, rotation)
        How the patient lies in a sequence, against the truth: mm, mm, degrees about the middle of L3 in the sagittal
        plane (positive: the head forwards).
    stenosis : mapping of VertebralLevel to float
        Share of the thecal sac's depth that is lost behind a body.
    mr_clip : float or None
        Largest signal that is stored (255: as after a conversion to 8 bits).
    mr_acquisition : mapping of str to mapping of str to str
        DICOM keywords of each sequence's volume, over the usual ones (`typical_acquisition`).
    """

    seed: int
    spacing: float | Sequence[float] = 1.0
    fractures: Sequence[Fracture] = ()
    sex: str = ""
    age: float | None = None
    size: float | None = None
    stoutness: float | None = None
    sacral_slope: float | None = None
    lordosis: float | None = None
    scoliosis: float = 0.0
    cancellous_hu: Mapping[VertebralLevel, float] = field(default_factory=dict)
    texture_hu: float = 36.0
    cortical_hu: float | None = None
    cortical_thickness: float | None = None
    muscle_hu: float = 58.0
    fat_hu: float = -102.0
    muscle_fat_fraction: Mapping[Structure, float] = field(default_factory=dict)
    rods: Sequence[float] = (0.0, 50.0, 100.0, 200.0)
    rod_line: Sequence[float] = (1.25, 4.0)
    psf_fwhm: float = 1.2
    noise_hu: float = 12.0
    vbq: Mapping[str, float] = field(default_factory=dict)
    csf_signal: Mapping[str, float] = field(default_factory=lambda: {"t1": 90.0, "t2": 600.0, "stir": 360.0})
    mr_pixel: float = 0.8
    mr_slice: float = 4.0
    mr_noise: float = 4.0
    bias_field: float = 0.0
    position: Sequence[float] | None = None
    anatomy: Anatomy = Anatomy.USUAL
    lesions: Sequence[Lesion] = ()
    phase: Phase = Phase.NONE
    marrow_enhancement_hu: float | None = None
    label_organs: bool = False
    shading_percent: float = 0.0
    motion: Mapping[str, Motion] = field(default_factory=dict)
    stenosis: Mapping[VertebralLevel, float] = field(default_factory=dict)
    mr_clip: float | None = None
    mr_acquisition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"The seed {self.seed} is negative.", "Give a whole number from 0.")
        object.__setattr__(self, "anatomy", Anatomy(self.anatomy))
        object.__setattr__(self, "phase", Phase(self.phase))
        for name, drawn in _drawn(np.random.default_rng((self.seed, 0)), self).items():
            object.__setattr__(self, name, _completed(getattr(self, name), drawn))
        object.__setattr__(self, "spacing", tuple(float(s) for s in np.broadcast_to(self.spacing, 3)))
        for name in ("fractures", "rods", "rod_line", "position", "lesions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, checked in _CHECKED.items():
            object.__setattr__(self, name, checked(getattr(self, name)))
        object.__setattr__(self, "csf_signal", MappingProxyType(dict(self.csf_signal)))
        _check(self)

    @property
    def levels(self) -> tuple[VertebralLevel, ...]:
        """The vertebrae from T10, cut by the image's top, to S1."""
        return self.anatomy.levels

    @property
    def subject(self) -> str:
        """The synthetic patient's code."""
        return f"phantom-{self.seed}"

    def fracture(self, level: VertebralLevel) -> Fracture | None:
        """Return the fracture of `level`, if it has one."""
        return next((f for f in self.fractures if f.level is level), None)

    @property
    def enhancement_hu(self) -> float:
        """What the contrast medium adds to all marrow, HU."""
        return _MARROW_RISE_HU[self.phase] if self.marrow_enhancement_hu is None else self.marrow_enhancement_hu

    @property
    def has_organs(self) -> bool:
        """Whether vessels and kidneys are labelled."""
        return self.label_organs or self.phase is not Phase.NONE

    def as_json(self) -> dict[str, Any]:
        """Return everything that was set, as plain JSON values.

        What came after the first version (from `lesions` on) stands there only where it is in use, so that patients
        without it keep their files and protocol ids.
        """
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {name: value for name, value in plain.items() if name not in _LATER or value != _LATER[name]}


_LATER: dict[str, Any] = {
    "lesions": [],
    "phase": "none",
    "marrow_enhancement_hu": None,
    "label_organs": False,
    "shading_percent": 0.0,
    "motion": {},
    "stenosis": {},
    "mr_clip": None,
    "mr_acquisition": {},
}
_CHECKED = {"motion": checked_motion, "stenosis": checked_stenosis, "mr_acquisition": checked_acquisition}


def _plain(value: Any) -> Any:
    if isinstance(value, Fracture | Lesion):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _completed(given: Any, drawn: Any) -> Any:
    """What was given, and what was drawn where nothing was."""
    if isinstance(drawn, dict):
        return MappingProxyType({**drawn, **given})
    return drawn if given in (None, "") else given


def _drawn(rng: np.random.Generator, given: PhantomSettings) -> dict[str, Any]:
    """Draw all that may be left open; the draws do not depend on what is given, except by sex and age."""
    z = rng.standard_normal(40)
    sex = given.sex or ("F" if z[0] < _WOMEN else "M")
    age = given.age if given.age is not None else float(np.clip(np.round(69 + 8 * z[1]), 50, 92))
    l1 = float(np.clip(128 - 1.9 * (age - 65) + 26 * z[2], 35, 230))
    hu = {v: round(float(l1 * f + 2.5 * e), 1) for (v, f), e in zip(_LEVEL_FACTOR.items(), z[3:12], strict=True)}
    fat = float(np.clip(0.12 + 0.006 * (age - 60) + 0.05 * z[12], 0.03, 0.5))
    muscle_factor = (1.0, 1.04, 0.45, 0.43)
    hu |= {level: hu[like] for level, like in LIKE.items() if level in given.anatomy.levels}
    fatty = (120 - l1) / 60  # fragile bone has fattier marrow, which is brighter on T1 and T2
    return {
        "sex": sex,
        "age": age,
        "size": round(float(np.clip((0.97 if sex == "F" else 1.06) + 0.035 * z[13], 0.88, 1.16)), 3),
        "stoutness": round(float(np.clip(1.0 + 0.25 * z[14], 0.55, 1.6)), 3),
        "sacral_slope": round(float(np.clip(39 + 5 * z[15], 28, 50)), 2),
        "lordosis": round(float(np.clip(1.0 + 0.12 * z[16], 0.7, 1.3)), 3),
        "cancellous_hu": hu,
        "cortical_hu": round(float(np.clip(780 + 2.0 * (l1 - 120) + 40 * z[17], 550, 1000)), 1),
        "cortical_thickness": round(float(np.clip(0.85 + 0.0012 * (l1 - 120) + 0.08 * z[18], 0.6, 1.2)), 3),
        "muscle_fat_fraction": {m: round(fat * f, 3) for m, f in zip(MUSCLES, muscle_factor, strict=True)},
        "vbq": {
            "t1": round(float(np.clip(4.15 + 0.25 * fatty + 0.3 * z[19], 2.4, 5.6)), 3),
            "t2": round(float(np.clip(0.56 + 0.03 * fatty + 0.04 * z[20], 0.35, 0.8)), 3),
            "stir": round(float(np.clip(0.317 + 0.04 * z[21], 0.2, 0.45)), 3),
        },
        "position": tuple(np.round((12 * z[22], 15 * z[23] - 30, 200 * z[24]), 1).tolist()),
    }


def _check(s: PhantomSettings) -> None:
    if not all(_FINEST_MM <= step <= _COARSEST_MM for step in (*s.spacing, s.mr_pixel, s.mr_slice)):
        raise UserError(
            f"A voxel size is out of range (CT {s.spacing}, MR {s.mr_pixel} and {s.mr_slice} mm).",
            f"Give sizes from {_FINEST_MM} to {_COARSEST_MM} mm.",
        )
    levels = [fracture.level for fracture in s.fractures]
    if not set(levels) <= set(s.levels):
        raise UserError(f"A fractured level does not exist in the anatomy '{s.anatomy}'.", "Choose another level.")
    if len(set(levels)) != len(levels):
        raise UserError("One level was given two fractures.", "Give at most one fracture a level.")
    if len({(lesion.level, lesion.kind) for lesion in s.lesions}) != len(s.lesions):
        raise UserError("One level was given two lesions of a kind.", "Give at most one of a kind a level.")
    if not {lesion.level for lesion in s.lesions} | set(s.stenosis) <= set(s.levels):
        raise UserError(f"A level does not exist in the anatomy '{s.anatomy}'.", "Choose another level.")
    if s.phase is Phase.NONE and s.marrow_enhancement_hu:
        raise UserError("Marrow takes up no contrast medium in phase 'none'.", "Give the contrast phase.")
    check_shading(s.shading_percent, s.mr_clip)
    if s.sex not in ("F", "M"):
        raise UserError(f"The sex '{s.sex}' is unknown.", "Give F or M.")
    if not all(0 <= f <= 1 for f in s.muscle_fat_fraction.values()):
        raise UserError("A muscle's fat fraction lies outside 0 to 1.", "Give shares from 0 to 1.")
