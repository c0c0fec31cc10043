"""Which image is T1, T2, STIR; which of several; and when scores may not be compared.

Timings are those of everyday spine protocols; expected answers are what a radiologist reads from them.
"""

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.plausibility import check_weighting
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.phantom import typical_acquisition
from OVFRiskLib.vbq.comparability import acquisition_facts, comparability, published_comparability, same_setting
from OVFRiskLib.vbq.sequence_choice import Candidate, propose_exam
from OVFRiskLib.vbq.sequences import propose_sequence

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR


def scan(tr=None, te=None, ti=None, codes="SE", field="1.5", **more):
    """Facts of a header; `codes` is ScanningSequence."""
    given = {
        "RepetitionTime": tr, "EchoTime": te, "InversionTime": ti, "ScanningSequence": codes,
        "MagneticFieldStrength": field, "Modality": "MR", **more,
    }  # fmt: skip
    return {key: str(value) for key, value in given.items() if value is not None}


IR = "SE\\IR"
USUAL = {
    "T1 1.5 T": (scan(520, 11), T1),
    "T1 3 T": (scan(700, 8.6, field="2.89"), T1),
    "T2 1.5 T": (scan(3500, 100), T2),
    "T2 with TI 0, as GE writes": (scan(2800, 110, 0, MRAcquisitionType="2D"), T2),
    "STIR 1.5 T": (scan(3800, 48, 160, IR), STIR),
    "STIR 3 T": (scan(4200, 40, 220, IR, field="3"), STIR),
    "STIR, inversion in the options": (scan(4500, 60, 150, "SE", ScanOptions="IR\\PFP"), STIR),
    "TIRM": (scan(5000, 55, 150, IR, DescriptionWords="T2\\TIRM\\SAG"), STIR),
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_sequences_are_named_without_doubt(name):
    facts, expected = USUAL[name]
    proposal = propose_sequence(facts)
    assert (proposal.modality, proposal.doubts) == (expected, ())
    assert f"TR {float(facts['RepetitionTime']):g} ms, TE {float(facts['EchoTime']):g} ms" in proposal.reason


def test_reason_in_words():
    assert propose_sequence(scan(520, 11)).reason == "TR 520 ms, TE 11 ms: T1-weighted spin echo"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (scan(9000, 110, 2400, IR), "nulls CSF"),
        (scan(2500, 25), "proton density"),
        (scan(3000, 48), "between"),
        (scan(600, 90), "TR of T1, TE of T2"),
        (scan(3500, 90, ScanOptions="FS"), "fat is saturated"),
        (scan(3500, 90, 110, ScanOptions="FS"), "fat is saturated"),  # spectral inversion (SPAIR), not STIR
        (scan(600, 10, ScanOptions="SP\\FS"), "fat is saturated"),
        (scan(2200, 20, 850, IR, ScanOptions="FS"), "fat is saturated"),
        (scan(3500, 90, DescriptionWords="T2\\FS"), "fat is saturated"),
        (scan(450, 9, codes="GR", FlipAngle="30"), "gradient echo"),
        (scan(8, 3.4, codes=None, FlipAngle="12"), "gradient echo"),
        (scan(4000, 80, codes="EP\\SE"), "diffusion"),
        (scan(3500, 90, DescriptionWords="DIXON\\T2\\WATER"), "Dixon water"),
        (scan(3500, 90, DescriptionWords="DIXON\\T2"), "not stated"),
        (scan(8000, 900), "no signal"),
        (scan(0.52, 0.011), "seconds"),
        (scan("3500", "20\\90"), "several echo times"),
        (scan(4000, 60, codes=IR), "without a stated inversion time"),
        (scan(3500, 100, Modality="CT"), "CT"),
        (scan(), "unknown"),
    ],
)
def test_what_is_none_of_the_three(facts, why):
    proposal = propose_sequence(facts)
    assert proposal.modality is None
    assert why in proposal.reason


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (scan(3500, 100), {"T1"}),
        (scan(520, 11), {"T2", "SAG"}),
        (scan(3500, 100), {"STIR"}),
        (scan(3500, 100), {"PD"}),
        (scan(3800, 48, 160, IR), {"FLAIR"}),
        (scan(520, 11, AcquisitionContrast="T2"), ()),
    ],
)
def test_contradiction_is_no_proposal(facts, words):
    proposal = propose_sequence(facts, words)
    assert proposal.modality is None
    assert "says" in proposal.reason


@pytest.mark.parametrize(
    ("facts", "expected", "doubt"),
    [
        (scan(520, 11, ContrastBolusAgent="stated"), T1, "contrast agent"),
        (scan(520, 11, DescriptionWords="T1\\CONTRAST"), T1, "contrast agent"),
        (scan(2400, 24, 860, IR), T1, "darkens CSF"),
        (scan(1150, 11), T1, "TR 1150 ms is unusual"),
        (scan(600, 10, EchoTrainLength="30"), T1, "30 echoes"),
        (scan(1500, 130, MRAcquisitionType="3D"), T2, "3-D"),
        (scan(1500, 100), T2, "TR 1500 ms is short"),
        (scan(3500, 65), T2, "TE 65 ms"),
        (scan(3500, 100, SequenceVariant="SK\\MTC"), T2, "magnetisation transfer"),
        (scan(3500, 100, DescriptionWords="DERIVED"), T2, "derived"),
        (scan(3500, 100, DescriptionWords="DIXON\\IN_PHASE"), T2, "in-phase"),
        (scan(3800, 48, 150, IR, field="3"), STIR, "unusual at 3 T"),
        (scan(3800, 48, 220, IR, field="1.5"), STIR, "unusual at 1.5 T"),
        (scan(3800, 48, 160, IR, field=None), STIR, "field strength unknown"),
        (scan(3800, 48, 160), STIR, "no inversion recovery is stated"),
        (scan(3500, 100, codes=None), T2, "spin echo"),
        (scan(None, None, None, None, None, DescriptionWords="T2\\SAG"), T2, "from the description"),
        (scan(4000, 60, codes=IR, DescriptionWords="STIR"), STIR, "lacks times"),
    ],
)
def test_doubts(facts, expected, doubt):
    proposal = propose_sequence(facts)
    assert proposal.modality is expected
    assert any(doubt in text for text in proposal.doubts), proposal.doubts


def test_inversion_time_is_judged_by_field_strength():
    """The same TI is usual at one field strength and not at the other; gauss of old headers are understood."""

    def doubts(ti, field):
        return propose_sequence(scan(3800, 48, ti, IR, field=field)).doubts

    assert doubts(150, "1.5") == doubts(220, "3") == doubts(150, "15000") == doubts(215, "2.89362") == ()
    assert doubts(150, "3")
    assert doubts(220, "1.5")


def test_proposals_never_contradict_what_reading_refuses():
    """`check_weighting` refuses a file given as what it is not: a proposal has to pass it."""
    proposed = 0
    for tr in (300, 600, 1100, 1600, 3500, 9000):
        for te in (8, 25, 38, 50, 62, 100, 200):
            for ti in (None, 60, 120, 180, 340, 700, 1200, 2400):
                for codes in ("SE", IR, None):
                    facts = scan(tr, te, ti, codes)
                    modality = propose_sequence(facts).modality
                    if modality:
                        check_weighting(facts, modality, "image")
                        proposed += 1
    assert proposed > 100


@pytest.mark.parametrize("field", ["1.5", "3"])
def test_phantoms_own_protocols(field):
    for sequence, facts in typical_acquisition(field).items():
        proposal = propose_sequence({**facts, "ScanningSequence": IR if sequence == "stir" else "SE"})
        assert proposal.modality == sequence.upper()
        assert proposal.doubts == ()
        assert "as the description says" in proposal.reason


# --- which of several


def candidate(key, facts, **changes):
    usual = {"normal": (1.0, 0.0, 0.0), "slices": 15, "spacing_mm": (0.6, 0.6, 4.4), "span_mm": (-140.0, 140.0)}
    return Candidate(key, facts, **{**usual, **changes})


def test_plain_exam():
    exam = [candidate("series 2", scan(520, 11)), candidate("series 3", scan(3500, 100)),
            candidate("series 4", scan(3800, 48, 160, IR))]  # fmt: skip
    choices = propose_exam(exam)
    assert {sequence: choice.key for sequence, choice in choices.items()} == {
        T1: "series 2", T2: "series 3", STIR: "series 4"
    }  # fmt: skip
    assert all(choice.doubts == () for choice in choices.values())


@pytest.mark.parametrize(
    ("facts", "changes", "why"),
    [
        (scan(520, 11, ContrastBolusAgent="stated"), {}, "with contrast agent"),
        (scan(520, 11, DescriptionWords="T1\\CERVICAL"), {}, "named after another part"),
        (scan(520, 11), {"span_mm": (-60, 40)}, "under 150 mm"),
        (scan(1150, 11), {}, "more doubtful"),
        (scan(520, 11), {"slices": 9}, "fewer slices"),
        (scan(520, 11), {"spacing_mm": (0.9, 0.9, 4.4)}, "larger pixels"),
        (scan(520, 11), {"normal": (0.0, 0.1, 0.99)}, "axial slices"),
        (scan(520, 11), {"problem": "slices in several directions"}, "slices in several directions"),
    ],
)
def test_better_of_two(facts, changes, why):
    for order in (1, -1):
        exam = [candidate("series 2", scan(520, 11)), candidate("series 7", facts, **changes)][::order]
        choice = propose_exam(exam)[T1]
        assert choice.key == "series 2"
        assert f"series 7: {why}" in choice.reason or f"series 7 is left out: {why}" in choice.reason


def test_repeated_series_is_left_to_the_user():
    choice = propose_exam([candidate("series 3", scan(3500, 100)), candidate("series 9", scan(3500, 100))])[T2]
    assert choice.key is None
    assert "series 3 and series 9 are alike" in choice.reason
    assert choice.candidates == ("series 3", "series 9")


def test_only_an_enhanced_t1_is_chosen_with_a_doubt():
    choice = propose_exam([candidate("series 8", scan(520, 11, ContrastBolusAgent="stated"))])[T1]
    assert choice.key == "series 8"
    assert "contrast agent" in choice.doubts[0]


def test_fat_saturated_t2_is_not_taken_for_t2():
    choice = propose_exam([candidate("series 6", scan(3500, 90, ScanOptions="FS", DescriptionWords="FS\\T2"))])[T2]
    assert choice.key is None
    assert "series 6 is not: fat is saturated" in choice.reason


def test_isotropic_axial_volume_may_be_cut_sagittally():
    facts = scan(1500, 130, MRAcquisitionType="3D")
    exam = [candidate("series 5", facts, normal=(0, 0, 1), spacing_mm=(0.9, 0.9, 1.0), slices=250)]
    assert propose_exam(exam)[T2].key == "series 5"


def test_sequences_of_different_parts_are_doubted():
    exam = [candidate("series 2", scan(520, 11)), candidate("series 3", scan(3500, 100), span_mm=(200, 480))]
    choices = propose_exam(exam)
    assert "hardly shows what T2 shows" in choices[T1].doubts
    assert "hardly shows what T1 shows" in choices[T2].doubts


def test_candidate_of_a_volume():
    """15 sagittal slices 4 mm apart, 300 x 320 mm, i from head to foot."""
    matrix = np.array([[0, 0, 4.0, -30], [0, -1.0, 0, 150], [-0.8, 0, 0, 200], [0, 0, 0, 1]])
    volume = Volume(np.zeros((15, 301, 401), np.int16), matrix, T2, acquisition=scan(3500, 100))
    found = Candidate.from_volume("T2.nii.gz", volume)
    assert (found.plane, found.slices, found.span_mm) == ("sagittal", 15, (-120.0, 200.0))
    assert found.spacing_mm == pytest.approx((0.8, 1.0, 4.0))


# --- comparability

GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Signa HDx"}
FULL = scan(520, 11, **GE, PixelBandwidth="195", FlipAngle="90", SliceThickness="4", EchoTrainLength="3")


def image(facts, kind=np.int16):
    return Volume(np.arange(27, dtype=kind).reshape(3, 3, 3), np.eye(4), T2, acquisition=facts)


def test_facts_in_words():
    assert acquisition_facts(image(FULL)) == {
        "field_strength": "1.5 T", "repetition_time": "520 ms", "echo_time": "11 ms", "inversion_time": "none",
        "flip_angle": "90 deg", "echo_train_length": "3", "bandwidth": "195 Hz", "slice_thickness": "4 mm",
        "manufacturer": "GE MEDICAL SYSTEMS", "model": "Signa HDx",
    }  # fmt: skip


def test_nothing_is_assumed_of_a_nifti():
    facts = acquisition_facts(image({}))
    assert set(facts.values()) == {"unknown"}
    assert "unknown" in comparability(image({}), image({}))[0]
    assert "unknown" in published_comparability(image({}), T2)[0]


def test_equal_acquisitions_may_be_compared():
    assert comparability(FULL, dict(FULL)) == ()
    assert comparability(FULL, {**FULL, "MagneticFieldStrength": "1.494", "Manufacturer": "GE"}) == ()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("MagneticFieldStrength", "2.89", "1.5 T and 3 T"),
        ("RepetitionTime", "640", "520 ms and 640 ms"),
        ("EchoTime", "14", "11 ms and 14 ms"),
        ("InversionTime", "160", "none and 160 ms"),
        ("PixelBandwidth", "400", "195 Hz and 400 Hz"),
        ("Manufacturer", "SIEMENS", "SIEMENS"),
        ("ManufacturerModelName", "Optima MR450w", "Optima MR450w"),
        ("SliceThickness", "3", ""),
    ],
)
def test_each_difference_is_one_warning(key, value, said):
    warnings = comparability(FULL, {**FULL, key: value})
    assert len(warnings) == (1 if said else 0)
    assert said in "".join(warnings)
    assert len(comparability({**FULL, key: value}, FULL)) == len(warnings)


def test_field_strength_warning_carries_the_published_means():
    (warning,) = comparability(FULL, {**FULL, "MagneticFieldStrength": "3"})
    assert "2.77 at 1.5 T, 2.20 at 3 T" in warning


def test_published_cutoffs():
    assert published_comparability(FULL, T1) == ()
    other = {**FULL, "MagneticFieldStrength": "3", "Manufacturer": "SIEMENS", "ManufacturerModelName": "Skyra"}
    field, scanner = published_comparability(other, T1)
    assert field.startswith("the cut-off of VBQ-T1: field strength 3 T and 1.5 T")
    assert "SIEMENS and GE" in scanner


# --- T2 and STIR of one setting


def test_one_setting():
    known = {**FULL, "Session": "aa", "ReceiverGain": "13/15", "RescaleSlope": "1"}
    assert same_setting(image(known), image(known)) == ()
    assert same_setting(image(FULL), image(FULL)) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"MagneticFieldStrength": "3"}, "different scanners"),
        ({"ManufacturerModelName": "Other"}, "different scanners"),
        ({"Session": "bb"}, "different sessions"),
        ({"ReceiverGain": "11/15"}, "different gains (13/15, 11/15)"),
        ({"RescaleSlope": "2.5"}, "different factors (1, 2.5)"),
        ({"Manufacturer": ""}, "unknown"),
    ],
)
def test_other_settings(change, why):
    known = {**FULL, "Session": "aa", "ReceiverGain": "13/15", "RescaleSlope": "1"}
    (warning,) = same_setting(image(known), image({**known, **change}))
    assert why in warning


def test_unknown_and_eight_bit_settings():
    assert "unknown" in same_setting(image({}), image({}))[0]
    assert "8-bit" in same_setting(image(FULL, np.uint8), image(FULL))[0]


def test_wrong_weighting_is_still_refused_when_the_user_insists():
    """The proposal may be overridden, but not against what is certain."""
    with pytest.raises(UserError, match="T2-weighted"):
        check_weighting(scan(3500, 100), T1, "image")
