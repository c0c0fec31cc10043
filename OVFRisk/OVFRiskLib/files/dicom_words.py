"""The few words of a description that tell what an image is.

The description itself, in which names are typed, is not kept.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

_MAX_TEXT = 256
# Every word that may be kept, and how technicians write it (German, French, Italian and Spanish habits, too).
_WRITTEN: Mapping[str, str] = {
    "T1": "T1 T1W T1WI T1WEIGHTED ET1W ST1W",
    "T2": "T2 T2W T2WI T2WEIGHTED ET2W ST2W",
    "T2STAR": "T2STAR T2STARW MEDIC MERGE SWI",
    "PD": "PD PDW DP PROTON",
    "STIR": "STIR",
    "TIRM": "TIRM",  # turbo inversion recovery magnitude: STIR or FLAIR, by its inversion time
    "FLAIR": "FLAIR DARKFLUID",
    "FS": "FS FATSAT SPAIR SPIR CHESS FATSUPP FATSUPPRESSED",
    "DIXON": "DIXON MDIXON IDEAL LAVAFLEX QDIXON",
    "WATER": "WATER WATERONLY",
    "OPPOSED": "OPPOSED OUTPHASE OPPPHASE",
    "IN_PHASE": "INPHASE",
    "SE": "SE TSE FSE FRFSE SPACE CUBE VISTA BLADE PROPELLER HASTE SSFSE",
    "GRE": "GRE FLASH VIBE FFE SPGR FSPGR LAVA MPRAGE BRAVO CISS FIESTA TRUFI BTFE TFE DESS",
    "DIFFUSION": "DWI DWIBS ADC DTI DIFF DIFFUSION TRACEW IVIM",
    "SAG": "SAG SAGITTAL SAGITAL",
    "COR": "COR CORONAL KOR",
    "AX": "AX AXIAL TRA TRANS TRANSVERSAL TRANSVERSE",
    "CONTRAST": "GD GAD GADO GADOVIST DOTAREM KM CE CONTRAST KONTRAST CONTRASTE MDC POSTKM POSTGD POSTCONTRAST",
    "UNENHANCED": "UNENHANCED NATIV NATIVE NONCONTRAST PRECONTRAST PLAIN",
    "LOCALIZER": "LOC LOCALIZER LOCALISER SCOUT SURVEY TOPOGRAM",
    "MYELOGRAPHY": "MYELO MYELOGRAM MYELOGRAPHY MYELOGRAPHIE",
    "COMPUTED": "MIP SUB SUBTRACTION MPR CALC",
    "LUMBAR": "LUMBAR LSPINE LWS LSP LSWS LUMBOSACRAL LOMBAIRE LOMBARE",
    "THORACIC": "THORACIC DORSAL TSPINE BWS",
    "CERVICAL": "CERVICAL CSPINE HWS",
}  # fmt: skip
_WORD_OF = {token: word for word, tokens in _WRITTEN.items() for token in tokens.split()}
# Written together (T2SAG, SAGSTIR): only words that make no name with others.
_JOINED = (
    "STIR", "TIRM", "FLAIR", "DIXON", "SAG", "TRA", "COR", "TSE", "FSE", "T1W", "T2W", "T1", "T2", "AX", "FS", "SE",
)  # fmt: skip
_COMPOUND = re.compile(f"(?:{'|'.join(_JOINED)})+")
_PART = re.compile("|".join(_JOINED))
_PAIRS = {
    ("FAT", "SAT"): "FATSAT", ("FAT", "SUPP"): "FATSAT", ("FAT", "SUPPRESSED"): "FATSAT",
    ("FAT", "SUPPRESSION"): "FATSAT",
    ("IN", "PHASE"): "INPHASE", ("OUT", "PHASE"): "OPPOSED", ("OPP", "PHASE"): "OPPOSED", ("DARK", "FLUID"): "FLAIR",
    ("L", "SPINE"): "LSPINE", ("T", "SPINE"): "TSPINE", ("C", "SPINE"): "CSPINE", ("POST", "GD"): "GD",
    ("POST", "KM"): "KM", ("POST", "CONTRAST"): "CONTRAST", ("T", "1"): "T1", ("T", "2"): "T2",
}  # fmt: skip
_WITHOUT = frozenset(("WO", "WITHOUT", "OHNE", "SANS", "NO", "NON", "PRE", "SENZA", "SIN", "SEM"))
_WITH = frozenset(("W", "WITH", "MIT", "AVEC", "CON", "COM"))
_DIXON_PART = {
    "W": "WATER", "F": "FAT", "FAT": "FAT", "IN": "IN_PHASE", "IP": "IN_PHASE", "OPP": "OPPOSED", "OP": "OPPOSED",
}  # fmt: skip
WORDS = frozenset((*_WRITTEN, "FAT", "PHASE_IMAGE", "DERIVED"))

# The image type is a coded value (PS3.3 C.8.3.1.1.1); what vendors add to it.
_IMAGE_TYPE = {
    "DIXON": "DIXON", "WATER": "WATER", "W": "WATER", "FAT": "FAT", "F": "FAT",
    "IN_PHASE": "IN_PHASE", "IP": "IN_PHASE",
    "OPP_PHASE": "OPPOSED", "OUT_PHASE": "OPPOSED", "OP": "OPPOSED", "ADC": "DIFFUSION", "TRACEW": "DIFFUSION",
    "DIFFUSION": "DIFFUSION", "P": "PHASE_IMAGE", "PHASE": "PHASE_IMAGE", "PHASE MAP": "PHASE_IMAGE",
    "SUBTRACTION": "COMPUTED", "SUB": "COMPUTED", "MIP": "COMPUTED", "PROJECTION IMAGE": "COMPUTED",
    "MIN IP": "COMPUTED", "MPR": "COMPUTED", "LOCALIZER": "LOCALIZER",
}  # fmt: skip


def words_in(*texts: str) -> frozenset[str]:
    """Return which of a fixed set of words (`WORDS`) texts hold, as whole words; nothing else of them is kept.

    ``T2 TSE FS sag`` gives T2, SE, FS and SAG. A word after ``without``, ``no``, ``pre`` … does not count; contrast
    agent after it gives UNENHANCED.
    """
    return frozenset(word for text in texts for word in _of_one(_tokens(str(text)[:_MAX_TEXT])))


def image_type_words(image_type: Sequence[str]) -> frozenset[str]:
    """Return the words of a DICOM image type (upper case): Dixon parts, diffusion, phase and computed images."""
    words = {_IMAGE_TYPE[value] for value in image_type[2:] if value in _IMAGE_TYPE}
    return frozenset(words | ({"DERIVED"} if image_type[:1] == ("DERIVED",) else set()))


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).upper()
    for written, meant in (("W/O", " WO "), ("T2*", " T2STAR "), ("T2_STAR", " T2STAR ")):
        plain = plain.replace(written, meant)
    plain = re.sub(r"\+ ?(C|GD|KM)\b|\bC ?\+(?=\W|$)", " CONTRAST ", plain)
    single = [token for token in re.split(r"[^A-Z0-9]+", plain) if token]
    return list(_paired(single))


def _paired(tokens: Sequence[str]) -> Iterable[str]:
    skip = False
    for token, following in zip(tokens, [*tokens[1:], ""]):
        if skip:
            skip = False
        elif (token, following) in _PAIRS:
            skip = True
            yield _PAIRS[token, following]
        else:
            yield token


def _of_one(tokens: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for place, token in enumerate(tokens):
        before = tokens[max(place - 3, 0) : place]
        negated = bool(before) and before[-1] in _WITHOUT
        for word in _known(token):
            if not negated:
                found.add(word)
            elif word == "CONTRAST" and not _WITH.intersection(before):  # "with and without" is no statement
                found.add("UNENHANCED")
    if "DIXON" in found:
        found |= {_DIXON_PART[token] for token in tokens if token in _DIXON_PART}
    return found


def _known(token: str) -> list[str]:
    if token in _WORD_OF:
        return [_WORD_OF[token]]
    if _COMPOUND.fullmatch(token):
        return [_WORD_OF[part] for part in _PART.findall(token)]
    return []
