"""Model cards as JSON: what is written is read again, and whatever is wrong is named with its place."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.card import Calibration, Combination, ModelCard, Output, Summary, Threshold
from OVFRiskLib.models.card_file import card_from_dict, card_to_dict
from OVFRiskLib.models.card_reading import Misfit, check_plain, read
from OVFRiskLib.models.card_schema import model_schema
from OVFRiskLib.resources import resource

from .cards import changed_at, example_card, example_input

SCHEMA = json.loads(resource("Schemas", "model.schema.json").read_text("utf-8"))
VALUE_CARD = {"inputs": (example_input(center=0.0, scale=1.0),), "output": Output.VALUE, "calibration": None}
OTHERS = [None, True, 0, 1.0, -1, 0.5, 1e100, 10**300, "", "x", "L1", "a\nb", "\x1b[2J", "x" * 501, "x" * 20_001]
OTHERS += [[], {}, [0.2, 0.4], ["L1", "L1"], {"a": "b"}, {"0.5": 1}]


def as_file(card: ModelCard) -> dict:
    return json.loads(json.dumps(card_to_dict(card), allow_nan=False))


def changed(place: tuple, value: object) -> dict:
    """The example as JSON, with another value at a place."""
    return changed_at(as_file(example_card()), place, value)


def places(values: object, here: tuple = ()) -> Iterator[tuple]:
    """Every place in JSON values; of a list only its first entry, and none in values that are free."""
    if here:
        yield here
    if here in (("protocols",), ("training",)):
        return
    keys = values if isinstance(values, dict) else range(len(values[:1])) if isinstance(values, list) else ()
    for key in keys:
        yield from places(values[key], (*here, key))


@pytest.mark.parametrize(
    "card",
    [
        example_card(),
        example_card(combination=Combination.LEVEL, levels=VertebralLevel.span("T11-L2")),
        example_card(calibration=Calibration("isotonic", x=(0.0, 0.4, 1.0), y=(0.1, 0.1, 0.9))),
        example_card(**VALUE_CARD, thresholds=(Threshold("cut-off", 120.0, "low", "normal"),)),
    ],
)
def test_what_is_written_is_read_again(card):
    assert card_from_dict(as_file(card), "model.json") == card


def test_the_layout_is_that_of_the_fields():
    values = as_file(example_card())
    vbmd = values["inputs"][1]
    assert (vbmd["name"], vbmd["compartment"], vbmd["levels"][0]) == ("vbmd", "cancellous", "L1")
    assert vbmd["training"]["quantiles"] == {"0.0": 20.0, "0.5": 98.0, "1.0": 220.0}
    assert "impute" not in vbmd  # None, as usual: left out
    assert values["population"]["age"] == [50.0, None]


def test_quantiles_are_in_order_whatever_the_order_in_the_file():
    values = changed(("inputs", 1, "training", "quantiles"), {"1.0": 3.0e1, "1e-05": 21, "0.5": 25})
    assert list(card_from_dict(values, "m").inputs[1].training.quantiles.items()) == [(1e-05, 21), (0.5, 25), (1, 30)]


def test_numbers_of_numpy_are_written():
    summary = Summary(np.float32(1), np.float64(3), np.float64(2), np.float64(1), {np.float64(0.5): np.float32(2)})
    card = example_card(inputs=(example_input(training=summary, least=np.int64(2)),), synthetic=np.True_)
    again = card_from_dict(as_file(card), "m")
    assert again.inputs[0].training == Summary(1.0, 3.0, 2.0, 1.0, {0.5: 2.0})
    assert again.inputs[0].least == 2
    assert again.synthetic is True


def test_what_is_no_number_is_not_written():
    with pytest.raises(ValueError, match="nan"):
        card_to_dict(example_card(inputs=(example_input(impute=float("nan")),)))


RADSCORE, VBMD = ("inputs", 0), ("inputs", 1)
DEEP = {"name": "r", "title": "R", "unit": "1", "coefficients": [1.0]}
LEAF = {"name": "vbmd", "title": "V", "unit": "1"}
WRONG = [
    ((*VBMD, "scale"), 0, "inputs[1].scale"),
    ((*VBMD, "scale"), -3.5, "inputs[1].scale"),
    ((*VBMD, "scale"), True, "inputs[1].scale"),
    ((*VBMD, "scale"), float("nan"), "inputs[1].scale"),
    ((*VBMD, "center"), float("inf"), "inputs[1].center"),
    ((*VBMD, "center"), 10**400, "inputs[1].center"),
    ((*VBMD, "center"), "100", "inputs[1].center"),
    ((*VBMD, "sclae"), 1, "inputs[1]: 'sclae' is unknown"),
    ((*VBMD, "title"), "Age", "inputs[2].title"),
    ((*VBMD, "unit"), " ", "inputs[1].unit"),
    ((*VBMD, "compartment"), "bone", "inputs[1].compartment"),
    ((*VBMD, "compartment"), ["body"], "inputs[1].compartment"),
    ((*VBMD, "levels"), ["L1", "L7"], "inputs[1].levels[1]"),
    ((*VBMD, "levels"), ["L1", "L1"], "inputs[1].levels"),
    ((*VBMD, "levels"), ["L1"], "inputs[1].statistic"),
    ((*VBMD, "levels"), [], "inputs[1].statistic"),
    ((*VBMD, "statistic"), None, "inputs[1].statistic"),
    ((*VBMD, "least"), 6, "inputs[1].least"),
    ((*VBMD, "least"), 0, "inputs[1].least"),
    ((*VBMD, "least"), 1.5, "inputs[1].least"),
    ((*VBMD, "intercept"), 1, "inputs[1]: has coefficients or an intercept"),
    ((*VBMD, "training", "minimum"), 300, "inputs[1].training: has a minimum"),
    ((*VBMD, "training", "mean"), 221, "inputs[1].training.mean"),
    ((*VBMD, "training", "sd"), -1, "inputs[1].training.sd"),
    ((*VBMD, "training", "quantiles"), {"0.5": 100, "0.6": 99}, "inputs[1].training.quantiles"),
    ((*VBMD, "training", "quantiles"), {"1.5": 100}, "inputs[1].training.quantiles"),
    ((*VBMD, "training", "quantiles"), {"nan": 100}, "inputs[1].training.quantiles"),
    ((*VBMD, "training", "quantiles"), {"0.5": 100, "0.50": 100}, "inputs[1].training.quantiles"),
    ((*RADSCORE, "coefficients"), [1.0], "inputs[0].coefficients"),
    ((*RADSCORE, "levels"), ["L1"], "inputs[0]: has terms"),
    ((*RADSCORE, "terms", 1, "protocol_id"), "other-0123456789ab", "inputs[0].terms[1].protocol_id"),
    ((*RADSCORE, "terms", 1, "title"), "Cortical original_glcm_Idmn", "inputs[0].terms[1].title"),
    ((*RADSCORE, "terms"), [DEEP | {"terms": [DEEP | {"terms": [LEAF]}]}] * 1, "inputs[0].coefficients"),
    ((*RADSCORE, "terms", 0), DEEP | {"terms": [DEEP | {"terms": [LEAF]}]}, "inputs[0].terms[0].terms[0].terms"),
    (("inputs",), [], "inputs"),
    (("inputs",), {"a": 1}, "inputs"),
    (("inputs",), [LEAF] * 10_001, "inputs"),
    (("inputs", 3), None, "inputs[3]"),
    (("name",), "Vertebral Risk", "name"),
    (("name",), "../risk", "name"),
    (("name",), "risk\n", "name"),
    (("version",), "1/2", "version"),
    (("title",), "", "title"),
    (("title",), "two\nlines", "title"),
    (("title",), "\ud800", "title"),
    (("intended_use",), "\n", "intended_use"),
    (("not_for",), "x" * 20_001, "not_for"),
    (("citation",), None, "citation"),
    (("origin",), "invented", "origin"),
    (("modality",), "US", "modality"),
    (("output",), "value", "inputs: must be one"),
    (("combination",), "level", "levels: are missing"),
    (("levels",), ["L1"], "levels"),
    (("synthetic",), 1, "synthetic"),
    (("population", "n"), 2.5, "population.n"),
    (("population", "events"), 241, "population.events"),
    (("population", "sex"), ["F", "X"], "population.sex[1]"),
    (("population", "age"), [80, 50], "population.age"),
    (("population", "age"), [50], "population.age"),
    (("population", "phases"), ["late"], "population.phases[0]"),
    (("population", "groups"), {"a": [1, -1]}, "population.groups.a"),
    (("population", "groups"), {"a": [1, 2, 3]}, "population.groups.a"),
    (("settings",), {"vbq_statistic": 1}, "settings.vbq_statistic"),
    (("thresholds", 1, "value"), 0.3, "thresholds"),
    (("thresholds", 0, "value"), -0.1, "thresholds[0].value"),
    (("thresholds", 0, "at_value"), "equal", "thresholds[0].at_value"),
    (("thresholds", 0, "sensitivity", "value"), 80, "thresholds[0].sensitivity.value"),
    (("thresholds", 0, "sensitivity", "interval"), [0.9, 0.7], "thresholds[0].sensitivity.interval"),
    (("thresholds", 0, "specificity", "interval"), [0.8, 0.9], "thresholds[0].specificity.interval"),
    (("performance", 0, "interval"), [0.9, 0.78], "performance[0].interval"),
    (("performance", 0, "data"), "guessed", "performance[0].data"),
    (("calibration", "slope"), -1, "calibration.slope"),
    (("calibration", "x"), [0, 1], "calibration: is logistic"),
    (("calibration",), {"kind": "platt"}, "calibration.kind"),
    (("calibration",), {"kind": "isotonic", "x": [0, 0.5], "y": [0]}, "calibration"),
    (("calibration",), {"kind": "isotonic", "x": [0, 0.5, 0.5], "y": [0, 0.1, 0.2]}, "calibration.x"),
    (("calibration",), {"kind": "isotonic", "x": [0, 0.5], "y": [0.2, 0.1]}, "calibration.y"),
    (("calibration",), {"kind": "isotonic", "slope": 2, "x": [0, 1], "y": [0, 1]}, "calibration: is isotonic"),
    (("protocols",), {}, "inputs[0].terms[0].protocol_id"),
    (("protocols", "ct-original-0"), {}, "protocols.ct-original-0"),
    (("training", "steps"), [float("nan")], "training.steps[0]"),
    (("training", "steps"), [[["x" * 20_001]]], "training.steps[0][0][0]"),
    (("schema",), 1, "'schema' is unknown"),
]


@pytest.mark.parametrize(("place", "value", "named"), WRONG)
def test_what_is_wrong_is_named_in_one_line(place, value, named):
    with pytest.raises(UserError) as found:
        card_from_dict(changed(place, value), "model.json")
    assert found.value.what.startswith(("model.json, " + named, "model.json: " + named))
    assert "\n" not in found.value.what
    assert "\x1b" not in found.value.what
    assert found.value.what_to_do


def test_settings_of_a_protocol_that_give_another_id_are_refused():
    values = as_file(example_card())
    (name,) = values["protocols"]
    values["protocols"][name]["setting"]["binWidth"] = 5
    with pytest.raises(
        UserError, match=rf"model.json, protocols.{name}: has settings that give the id 'fracture-risk-"
    ):
        card_from_dict(values, "model.json")


@pytest.mark.parametrize("name", ["name", "population", "inputs", "licence", "modality"])
def test_what_is_missing_is_named(name):
    values = as_file(example_card())
    del values[name]
    with pytest.raises(UserError, match=f"^model.json: '{name}' is missing"):
        card_from_dict(values, "model.json")


def test_measurements_may_have_protocols_that_are_not_radiomics():
    values = changed((*VBMD, "protocol_id"), "vbmd-0123456789ab")
    assert card_from_dict(values, "m").inputs[1].protocol_id == "vbmd-0123456789ab"


def test_a_mean_of_equal_numbers_may_miss_them_by_rounding():
    mean = sum([0.1] * 3) / 3  # 0.10000000000000002
    assert mean > 0.1
    card = example_card(inputs=(example_input(training=Summary(0.1, 0.1, mean, 0.0)),))
    assert card_from_dict(as_file(card), "m") == card


def test_inputs_within_radscores_count():
    values = as_file(example_card())
    term = values["inputs"][0]["terms"][0]
    terms = [term | {"title": f"t{n}"} for n in range(9_998)]
    values["inputs"][0] |= {"terms": terms, "coefficients": [0.0] * len(terms)}
    with pytest.raises(UserError, match="inputs: are 10,002 with those of radscores"):
        card_from_dict(values, "m")


def test_values_nested_without_end_are_refused():
    values: list = []
    for _ in range(100_000):
        values = [values]
    with pytest.raises(UserError, match="nested"):
        card_from_dict({"training": values}, "m")


def test_a_million_values_are_refused():
    with pytest.raises(UserError, match="more than 1,000,000 values"):
        card_from_dict({"training": {"a": [0] * 1_000_001}}, "m")


@pytest.mark.parametrize("values", [None, [], "card", 3, {1: 2}, {"name": {2, 3}}, ()])
def test_what_is_no_card_is_refused(values):
    with pytest.raises(UserError, match=r"^model.json"):
        card_from_dict(values, "model.json")


def test_the_schema_file_is_what_the_fields_say():
    assert model_schema() == SCHEMA, (
        "make it again: python -c 'import json; from OVFRiskLib.models.card_schema import model_schema; "
        "print(json.dumps(model_schema(), indent=1))' > Resources/Schemas/model.schema.json"
    )


def fits_by_type(values: object) -> bool:
    """Whether the reader finds every field as it must be for itself."""
    try:
        check_plain(values)
        read(ModelCard, {}, values, "")
    except Misfit:
        return False
    return True


def test_the_schema_accepts_what_the_reader_does():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    example = as_file(example_card())
    del example["protocols"]  # as large as all else; the schema leaves them to that of protocols
    whole = {"schema": 1, "predictor": None}
    assert validator.is_valid(whole | example)
    verdicts = []
    for place in places(example):
        for other in OTHERS:
            values = changed_at(example, place, other)
            verdicts.append(fits_by_type(values))
            assert validator.is_valid(whole | values) == verdicts[-1], (place, other)
    assert 0.05 < np.mean(verdicts) < 0.5  # both happen


def test_the_schema_names_what_is_missing_as_the_reader_does():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    example = as_file(example_card())
    for name in example:
        values = {key: value for key, value in example.items() if key != name}
        assert validator.is_valid({"schema": 1, "predictor": None} | values) == fits_by_type(values), name
