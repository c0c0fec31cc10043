"""Proposes whether an MR image is the T1, the T2 or the STIR of vertebral bone quality, from how it was acquired.

Only what the scores were published on is proposed: spin echoes in which fat and CSF keep their signal, and short-TI
inversion recovery. The bounds of TR, TE and TI are those of everyday spine imaging (judged, not fitted to scans); what
lies near a bound is proposed with a doubt, what lies between two weightings is not proposed at all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ..image import Modality
from .sequence_facts import Scan

# ms
_T1_TE, _T1_TR = 40.0, 1200.0  # longer: proton density, or no clear weighting
_T1_USUAL_TE, _T1_USUAL_TR = 25.0, (300.0, 1000.0)
_T2_TE, _T2_TR = 60.0, 1000.0  # shorter: intermediate weighting; T1 weighting
_T2_USUAL_TE, _T2_USUAL_TR = (70.0, 160.0), 1800.0
_MYELOGRAM_TE = 250.0  # marrow (T2 about 60 ms) has lost its signal
_T1_TI, _FLAIR_TI = 350.0, 1500.0
_STIR_USUAL_TR, _STIR_USUAL_TE = 2000.0, (20.0, 100.0)
_LONG_TRAIN = 12  # echoes; T1-weighted spine imaging uses 2 to 5
_GRADIENT_FLIP = 60.0  # degrees; spin echoes excite by about 90
# Null of fat (ms) by field strength (T): 1.5 and 3 T as used in hospitals; T1 of fat falls with the field below them.
_FAT_NULL = np.array([[0.2, 70, 110], [0.5, 85, 130], [1.0, 110, 160], [1.5, 130, 180], [3.0, 180, 250]])


@dataclass(frozen=True)
class SequenceProposal:
    """What an MR image seems to be, to be confirmed by a human being.

    Parameters
    ----------
    modality : Modality or None
        T1, T2 or STIR; None where it is none of them or cannot be told.
    reason : str
        What it was read from, or why nothing is proposed.
    doubts : tuple of str
        What may be wrong with the proposal, or with a score measured on this image.
    """

    modality: Modality | None
    reason: str
    doubts: tuple[str, ...] = ()


def propose_sequence(acquisition: Mapping[str, str], words: Collection[str] = ()) -> SequenceProposal:
    """Propose the sequence that an MR image is.

    Parameters
    ----------
    acquisition : mapping of str to str
        DICOM keywords as in `Volume.acquisition`; times in ms, field strength in T, angles in degrees.
    words : collection of str
        Words of the series' description (`files.dicom_words.words_in`), beside those that `acquisition` holds.
    """
    scan = Scan.of(acquisition, words)
    if why := _not_for_vbq(scan):
        return SequenceProposal(None, why)
    modality, reason = _by_inversion(scan) if scan.inverts else _by_times(scan)
    if modality is None:
        return SequenceProposal(None, reason)
    claim = scan.claim
    if claim and claim != modality:
        return SequenceProposal(None, f"the description says {claim}, but {reason}")
    agrees = ", as the description says" if claim and scan.has_times else ""
    return SequenceProposal(modality, f"{reason}{agrees}", tuple(_doubts(scan, modality)))


def _not_for_vbq(scan: Scan) -> str:
    """Return why an image is none of the three, whatever its times; empty where nothing speaks against it."""
    gradient = "GRADIENT" in scan.echoes or (not scan.echoes and (scan.flip or 90) < _GRADIENT_FLIP)
    nulled = scan.inverts and (scan.fat_nulled or scan.ti is None)
    checks = (
        (scan.modality != "MR", f"its modality is {scan.modality}, not MR"),
        ("LOCALIZER" in scan.words, "a localiser"),
        ("PLANAR" in scan.echoes or "DIFFUSION" in scan.words, "an echo-planar or diffusion image"),
        ("PHASE_IMAGE" in scan.words, "a phase image, no magnitude"),
        ("COMPUTED" in scan.words, "a computed image (projection, subtraction or reformat)"),
        ("MYELOGRAPHY" in scan.words, "MR myelography: marrow has no signal"),
        (gradient or scan.words & {"GRE", "T2STAR"}, "a gradient echo: VBQ was published on spin echoes"),
        (scan.several_echoes, "several echo times in one series"),
        (_dixon_part(scan) != "", _dixon_part(scan)),
        (scan.fat_suppressed and not nulled, "fat is saturated: marrow has lost what T1 and T2 VBQ measure"),
        (scan.te and scan.tr and scan.te >= scan.tr, f"the times are impossible ({scan.said}): not in ms?"),
        (scan.te is not None and scan.te < 1, f"the times are implausible ({scan.said}): in seconds?"),
    )  # fmt: skip
    return next((why for wrong, why in checks if wrong), "")


def _dixon_part(scan: Scan) -> str:
    """Of a Dixon series only in-phase images show fat and water together, as other spin echoes do."""
    parts = scan.words & {"WATER", "FAT", "OPPOSED"}
    if parts and not scan.words & {"STIR", "TIRM"}:
        names = {"WATER": "water", "FAT": "fat", "OPPOSED": "opposed-phase"}
        return f"a Dixon {' and '.join(names[part] for part in sorted(parts))} image: not fat and water together"
    if "DIXON" in scan.words and "IN_PHASE" not in scan.words:
        return "a Dixon series; which of its images (in phase, opposed, water, fat) is not stated"
    return ""


def _by_inversion(scan: Scan) -> tuple[Modality | None, str]:
    if scan.ti is None:
        if scan.claim == "STIR":
            return Modality.STIR, f"{scan.said or 'times unknown'}: inversion recovery, named STIR"
        return None, f"inversion recovery without a stated inversion time ({scan.said or 'times unknown'})"
    if scan.fat_nulled:
        return Modality.STIR, f"{scan.said}: inversion recovery that nulls fat"
    if scan.ti >= _FLAIR_TI:
        return None, f"{scan.said}: FLAIR, inversion recovery that nulls CSF"
    if scan.ti > _T1_TI and scan.te is not None and scan.te < _T1_TE:
        return Modality.T1, f"{scan.said}: T1-weighted inversion recovery"
    return None, f"{scan.said}: inversion recovery that nulls neither fat nor CSF"


def _by_times(scan: Scan) -> tuple[Modality | None, str]:
    if scan.tr is None or scan.te is None:
        return _by_description(scan)
    if scan.te < _T1_TE and scan.tr <= _T1_TR:
        return Modality.T1, f"{scan.said}: T1-weighted spin echo"
    others = (
        (scan.te < _T1_TE, "proton density, or between it and T1 weighting"),
        (scan.te < _T2_TE, "weighting between T1, proton density and T2"),
        # the train of a 3-D spin echo keeps the signal of marrow longer
        (scan.te > _MYELOGRAM_TE and not scan.three_d, "so heavily T2-weighted that marrow has no signal"),
        (scan.tr < _T2_TR, "TR of T1, TE of T2 weighting"),
    )
    what = next((what for fits, what in others if fits), "")
    return (None, f"{scan.said}: {what}") if what else (Modality.T2, f"{scan.said}: T2-weighted spin echo")


def _by_description(scan: Scan) -> tuple[Modality | None, str]:
    """Return what the description says where the header lacks TR or TE; a time that is known must fit."""
    known = scan.said or "TR, TE and TI unknown"
    fits = {
        "T1": (scan.te or 0) < _T1_TE and (scan.tr or 0) <= _T1_TR,
        "T2": (scan.te or _T2_TE) >= _T2_TE and (scan.tr or _T2_TR) >= _T2_TR,
        "STIR": scan.stated_inversion is None,
    }
    if scan.claim not in fits:
        return None, f"{known}, and no description that tells"
    if not fits[scan.claim]:
        return None, f"the description says {scan.claim}, which the header contradicts ({known})"
    return Modality(scan.claim), f"named {scan.claim} in its description; {known}"


def _doubts(scan: Scan, modality: Modality) -> list[str]:
    usual = {Modality.T1: _t1_doubts, Modality.T2: _t2_doubts, Modality.STIR: _stir_doubts}[modality](scan)
    named = scan.words & {"T1", "T2", "PD"}
    complete = scan.ti if modality is Modality.STIR else scan.tr and scan.te
    checks = (
        (scan.agent or "CONTRAST" in scan.words, "a contrast agent is stated: VBQ is measured without"),
        (not complete, "read from the description: the header lacks times"),
        (not scan.echoes and "SE" not in scan.words, "the header does not say that it is a spin echo"),
        (len(named) > 1 and not scan.claim, f"the description names {' and '.join(sorted(named))}"),
        ("IN_PHASE" in scan.words, "the in-phase image of a Dixon series"),
        ("DERIVED" in scan.words, "a derived image (filtered, joined or reformatted)"),
        ("MTC" in scan.variant, "magnetisation transfer darkens marrow against CSF"),
        (scan.three_d, "a 3-D sequence: its long echo train changes the contrast of marrow"),
    )
    return [*(why for wrong, why in checks if wrong), *usual]


def _t1_doubts(scan: Scan) -> list[str]:
    checks = (
        (scan.inverts, f"TI {scan.ti or 0:g} ms darkens CSF: VBQ is higher than on spin echoes, by half or more"),
        ((scan.te or 0) > _T1_USUAL_TE, f"TE {scan.te or 0:g} ms is long for T1 weighting"),
        (not scan.inverts and scan.tr and not _T1_USUAL_TR[0] <= scan.tr <= _T1_USUAL_TR[1],
         f"TR {scan.tr or 0:g} ms is unusual for T1 weighting"),
        ((scan.train or 1) > _LONG_TRAIN, f"{scan.train or 0:g} echoes a train are many for T1 weighting"),
    )  # fmt: skip
    return [why for wrong, why in checks if wrong]


def _t2_doubts(scan: Scan) -> list[str]:
    checks = (
        (scan.te and not _T2_USUAL_TE[0] <= scan.te <= _T2_USUAL_TE[1],
         f"TE {scan.te or 0:g} ms is unusual for T2 weighting"),
        (scan.tr and scan.tr < _T2_USUAL_TR, f"TR {scan.tr or 0:g} ms is short for T2 weighting"),
    )  # fmt: skip
    return [why for wrong, why in checks if wrong]


def _stir_doubts(scan: Scan) -> list[str]:
    doubts = []
    if scan.ti and scan.field is None:
        doubts.append("field strength unknown: whether the inversion time nulls fat depends on it")
    elif scan.ti:
        low, high = (float(np.interp(scan.field, _FAT_NULL[:, 0], _FAT_NULL[:, n])) for n in (1, 2))
        if not low <= scan.ti <= high:
            doubts.append(f"TI {scan.ti:g} ms is unusual at {scan.field:g} T ({low:.0f}-{high:.0f} ms null fat)")
    if scan.stated_inversion is False:
        doubts.append("an inversion time, but no inversion recovery is stated")
    if scan.fat_suppressed:
        doubts.append("fat saturation is stated beside the inversion")
    if scan.tr and scan.tr < _STIR_USUAL_TR:
        doubts.append(f"TR {scan.tr:g} ms is short for STIR: another TI nulls fat")
    if scan.te and not _STIR_USUAL_TE[0] <= scan.te <= _STIR_USUAL_TE[1]:
        doubts.append(f"TE {scan.te:g} ms is unusual for STIR")
    return doubts
