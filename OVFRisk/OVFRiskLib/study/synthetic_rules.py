"""By which rule each synthetic cohort's outcomes come about, and which of its numbers are published.

Sizes, counts of events and of features are the publications'. Where a marginal is not published in what we have read
(Ge's Table 1 and all but the abstracts of Che and Liu), it is assumed, and `Clinical.source` says so. The coefficients
are ours: chosen so that the variables the publications name matter, about as much as their AUCs say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ..anatomy import Compartment, VertebralLevel

ASSUMED = "assumed"
CHE = "Che et al., abstract"
GE = "Ge et al., Int J Med Sci 2025;22:3329-3341"
LIU = "Liu et al., Front Oncol 2026, abstract"


class Shape(StrEnum):
    """How a clinical variable is distributed."""

    NORMAL = "normal"  # drawn again where it is outside its bounds
    LOGNORMAL = "lognormal"
    BINARY = "binary"


@dataclass(frozen=True)
class Clinical:
    """A clinical column.

    Parameters
    ----------
    title, unit : str
        UCUM.
    shape : Shape
    center, spread : float
        Normal: mean and SD; lognormal: median and SD of the natural logarithm; binary: share of 1, and 0.
    coefficient : float
        Log-odds for one `spread`, of the logarithm where lognormal, or for 1 against 0.
    follows : float
        Correlation with minus the log-odds of the image features: it then predicts without a coefficient of its own.
    bounds : tuple of float
        Eligibility.
    name : str
        Of the measurement, where it is one; empty: `title`.
    compartment : Compartment or None
    source : str
        Where the marginal is published, or that it is assumed.
    """

    title: str
    unit: str
    shape: Shape
    center: float
    spread: float = 0.0
    coefficient: float = 0.0
    follows: float = 0.0
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    name: str = ""
    compartment: Compartment | None = None
    source: str = ASSUMED


@dataclass(frozen=True)
class Rule:
    """One synthetic study.

    Parameters
    ----------
    patients, events : int
    outcome : str
        Column of 1 (event) and 0.
    protocol : str
        Name of the bundled radiomics protocol.
    compartments : tuple of Compartment
        Each has all features of the protocol.
    levels : tuple of VertebralLevel
        Over which features are averaged; empty: each patient has one level that counts.
    clinical : tuple of Clinical
    weights : mapping of str to float
        Column of an image feature to its weight in the image part of the log-odds.
    image_sd : float
        Standard deviation of that part.
    reproducible : float
        Share of features whose concordance between two readers is 0.85 or more.
    source : str
    """

    patients: int
    events: int
    outcome: str
    protocol: str
    compartments: tuple[Compartment, ...]
    levels: tuple[VertebralLevel, ...]
    clinical: tuple[Clinical, ...]
    weights: Mapping[str, float] = field(repr=False)
    image_sd: float = 1.5
    reproducible: float = 940 / 1223
    source: str = ""

    @property
    def prefixes(self) -> dict[Compartment, str]:
        """What stands before a feature's name in a column's title, as `study.cohort.wide` writes it."""
        joined = "_mean_" if self.levels else "_"
        return {part: f"{part}{joined}" for part in self.compartments}


_FRACTURE = Rule(
    patients=240,
    events=80,
    outcome="fracture",
    protocol="fracture-risk",
    compartments=(Compartment.CORTICAL, Compartment.CANCELLOUS),
    levels=VertebralLevel.span("T11-L2"),
    clinical=(
        Clinical("age", "a", Shape.NORMAL, 70.0, 9.0, bounds=(50.0, 95.0)),
        Clinical("sex_male", "1", Shape.BINARY, 93 / 240, source=CHE),
        Clinical(
            "cancellous_mean_vbmd",
            "mg/cm3",
            Shape.NORMAL,
            90.0,
            28.0,
            follows=0.62,
            bounds=(5.0, 250.0),
            name="vbmd",
            compartment=Compartment.CANCELLOUS,
        ),
    ),
    weights=MappingProxyType(
        {
            "cortical_mean_original_glcm_Idmn": -1.0,
            "cortical_mean_wavelet-LLH_firstorder_Entropy": 0.8,
            "cortical_mean_gradient_glrlm_RunEntropy": 0.7,
            "cortical_mean_log-sigma-3-0-mm-3D_glszm_ZoneEntropy": 0.6,
            "cancellous_mean_original_firstorder_10Percentile": -1.0,
            "cancellous_mean_wavelet-LLH_glcm_Idmn": 1.0,
            "cancellous_mean_wavelet-HLL_gldm_DependenceEntropy": 0.9,
            "cancellous_mean_log-sigma-1-0-mm-3D_glcm_Imc1": -0.8,
            "cancellous_mean_wavelet-LHL_firstorder_Skewness": 0.7,
            "cancellous_mean_gradient_ngtdm_Strength": -0.6,
        }
    ),
    image_sd=1.9,
    source=f"{CHE}: 240 patients, 80 with a fracture, 147 women, matched on age and sex; vBMD adds nothing to features",
)
_BACK_PAIN = Rule(
    patients=856,
    events=102,
    outcome="residual_back_pain",
    protocol="residual-back-pain",
    compartments=(Compartment.BODY,),
    levels=(),
    clinical=(
        Clinical("age", "a", Shape.NORMAL, 72.0, 8.0, bounds=(55.0, 99.0)),
        Clinical("sex_male", "1", Shape.BINARY, 0.22),
        Clinical("bmi", "kg/m2", Shape.NORMAL, 23.5, 3.4, bounds=(14.0, 45.0)),
        Clinical("hypertension", "1", Shape.BINARY, 0.42),
        Clinical("diabetes", "1", Shape.BINARY, 0.18),
        Clinical("t_score", "1", Shape.NORMAL, -3.3, 0.6, coefficient=-1.3, bounds=(-6.0, -2.5)),
        Clinical("fracture_t11_l2", "1", Shape.BINARY, 0.65, coefficient=0.9),
        Clinical("vas", "1", Shape.NORMAL, 7.5, 0.9, bounds=(6.0, 10.0)),
        Clinical("odi", "%", Shape.NORMAL, 66.0, 9.0, coefficient=0.6, bounds=(20.0, 100.0)),
        Clinical("height_reduction", "%", Shape.NORMAL, 32.0, 12.0, bounds=(0.0, 90.0)),
        Clinical("cobb_angle", "deg", Shape.NORMAL, 12.0, 6.0, bounds=(-10.0, 45.0)),
        Clinical("intravertebral_cleft", "1", Shape.BINARY, 0.16, coefficient=2.6),
        Clinical("fascia_injury", "1", Shape.BINARY, 0.25, coefficient=1.5),
    ),
    weights=MappingProxyType(
        {
            "body_wavelet-LLH_glcm_Idmn": 1.0,
            "body_wavelet-HLL_glszm_ZoneEntropy": 0.9,
            "body_wavelet-LHH_gldm_DependenceEntropy": -0.8,
            "body_wavelet-LLL_firstorder_10Percentile": -0.8,
            "body_wavelet-HLH_firstorder_Skewness": 0.7,
            "body_gradient_glcm_Imc2": 0.7,
            "body_original_firstorder_Median": -0.6,
        }
    ),
    image_sd=2.6,
    source=(
        f"{GE}: 856 patients, 102 with the outcome; low density, disability, cleft, fascia injury and T11-L2 matter, "
        "and seven features: five of wavelets, one of gradients; 940 of 1,223 reproducible"
    ),
)
_MALIGNANT = Rule(
    patients=208,
    events=104,
    outcome="malignant",
    protocol="malignant-fracture",
    compartments=(Compartment.WHOLE,),
    levels=(),
    clinical=(
        Clinical("age", "a", Shape.NORMAL, 64.0, 11.0, bounds=(20.0, 95.0)),
        Clinical("sex_male", "1", Shape.BINARY, 0.45),
        Clinical("ca125", "[arb'U]/mL", Shape.LOGNORMAL, 16.0, 0.8, coefficient=0.5),
        Clinical("cea", "ng/mL", Shape.LOGNORMAL, 2.8, 0.7),
        Clinical("alkaline_phosphatase", "U/L", Shape.LOGNORMAL, 88.0, 0.35),
        Clinical("posterior_involvement", "1", Shape.BINARY, 0.4, coefficient=0.9),
    ),
    weights=MappingProxyType(
        {
            "whole_original_shape_Sphericity": -0.7,
            "whole_original_firstorder_Median": 0.8,
            "whole_wavelet-LLH_glcm_Idmn": 1.0,
            "whole_wavelet-HHL_glrlm_RunEntropy": 0.9,
            "whole_square_glszm_ZoneEntropy": 0.7,
            "whole_logarithm_gldm_DependenceEntropy": -0.8,
            "whole_gradient_firstorder_Uniformity": -0.7,
        }
    ),
    image_sd=1.9,
    source=f"{LIU}: 208 patients, CA125 and posterior involvement matter; how many were malignant is assumed: half",
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {"fracture-risk": _FRACTURE, "residual-back-pain": _BACK_PAIN, "malignant-fracture": _MALIGNANT}
)
"""By the name of the study's template; ``vbq`` draws its scores by `vbq.reading_cohort`."""
