import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel, label_scheme, label_schemes
from OVFRiskLib.errors import UserError, import_optional
from OVFRiskLib.resources import resource

T12, L1, L5 = VertebralLevel.T12, VertebralLevel.L1, VertebralLevel.L5


def test_levels_run_from_head_to_foot():
    assert [level.name for level in sorted(VertebralLevel, key=lambda v: v.rank)][:2] == ["C1", "C2"]
    assert VertebralLevel.T12.rank < VertebralLevel.T13.rank < VertebralLevel.L1.rank
    assert VertebralLevel.L5.rank < VertebralLevel.L6.rank < VertebralLevel.S1.rank


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("T11-L2", "T11 T12 L1 L2"),
        ("l1, L3", "L1 L3"),
        ("T12-L1,L1", "T12 L1"),
        ("T13-L1", "T13 L1"),
        ("L5", "L5"),
    ],
)
def test_span(text, levels):
    assert [str(level) for level in VertebralLevel.span(text)] == levels.split()


@pytest.mark.parametrize("text", ["", "L2-T11", "L7", "T11-", "T11-L2-L3"])
def test_span_refuses(text):
    with pytest.raises(UserError, match="levels"):
        VertebralLevel.span(text)


@pytest.mark.parametrize(
    ("scheme", "value", "level"),
    [
        ("totalsegmentator", 27, "L5"),
        ("totalsegmentator", 31, "L1"),
        ("totalsegmentator", 32, "T12"),
        ("totalsegmentator", 26, "S1"),
        ("verse", 19, "T12"),
        ("verse", 20, "L1"),
        ("verse", 25, "L6"),
        ("verse", 28, "T13"),
        ("totalspineseg", 41, "L1"),
        ("ovfrisk", 320, "L1"),
    ],
)
def test_from_label(scheme, value, level):
    assert VertebralLevel.from_label(value, scheme) == level


def test_26_is_the_sacrum_in_verse_and_no_vertebra():
    assert label_scheme("verse").regions[26] == Region(Structure.SACRUM)
    with pytest.raises(UserError, match="no vertebra"):
        VertebralLevel.from_label(26, "verse")


def test_unknown_scheme_names_the_known_ones():
    with pytest.raises(UserError, match="verse"):
        label_scheme("nonsense")


def test_every_scheme_is_sourced_and_unambiguous():
    for scheme in label_schemes().values():
        assert scheme.source
        assert len(set(scheme.regions.values())) == len(scheme.regions)


def test_a_compartment_needs_a_level():
    with pytest.raises(ValueError, match="level"):
        Region(Compartment.CORTICAL)
    assert str(Region(Compartment.CORTICAL, L1)) == "L1 cortical"


def test_missing_resource_and_package_say_what_to_do():
    with pytest.raises(UserError, match="Install OVFRisk again"):
        resource("Protocols", "no-such.json")
    with pytest.raises(UserError, match="Reading stars needs the package 'astrolabe_x'"):
        import_optional("astrolabe_x", "Reading stars")
