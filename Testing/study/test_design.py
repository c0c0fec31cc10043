"""Design files: the templates are valid, and what does not fit is named."""

import json
import re

import pytest

pytest.importorskip("sklearn")

from OVFRiskLib.errors import UserError
from OVFRiskLib.study.design.design import Way
from OVFRiskLib.study.design.reading import design_of, read_design
from OVFRiskLib.study.design.schema import design_schema
from OVFRiskLib.study.design.templates import TEMPLATES, template

GE = template("residual-back-pain")


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_valid_and_run_both_ways(name):
    design = design_of(template(name), name)
    assert design.name == name
    assert set(design.ways) == set(Way)
    assert design.source


def test_the_template_of_ge_is_the_paper_s():
    design = design_of(GE, "design.toml")
    steps = {step.name: dict(step.set) for step in design.group("radiomics").steps}
    assert list(steps) == ["reproducibility", "adaptive-scaling", "rank-sum", "components", "mrmr"]
    assert (steps["reproducibility"], steps["rank-sum"], steps["mrmr"]) == (
        {"minimum": 0.85},
        {"alpha": 0.1},
        {"count": 20},
    )
    assert [step.name for step in design.sampling] == ["adasyn", "tomek-links"]
    assert (design.candidates, design.folds, design.split.test) == (100, 5, 256)
    assert set(design.learners) == {"logistic", "random-forest", "svm", "xgboost", "tabnet"}


@pytest.mark.parametrize(
    ("pattern", "new", "words"),
    [
        ("schema = 1", "schema = 2", "layout 2"),
        ("seed = 2025", "", "'seed' is missing"),
        ("seed = 2025", "seed = 2025\nsseed = 1", "'sseed' is unknown"),
        ("seed = 2025", "seed = 'x'", "seed: must be a whole number"),
        (r'"svm"', '"sum"', "learners: 'sum' is no learner"),
        ("alpha = 0.1 } }, ", "alfa = 0.1 } }, ", "has no alfa"),
        ("minimum = 0.85", "minimum = 85", "minimum is 85"),
        ('name = "components"', 'name = "adasyn"', "belongs in sampling"),
        (r'sampling = \[\{ name = "adasyn"', 'sampling = [{ name = "mrmr"', "belongs in the steps of a group"),
        (r'repeats = \["repeat_1.csv", "repeat_2.csv"\]', "", "must name two tables"),
        (r'paths = \["clinical.csv"\]', 'paths = ["../clinical.csv"]', "must lie in the design file's folder"),
        (r'paths = \["clinical.csv"\]', 'paths = ["/etc/passwd"]', "must lie in the design file's folder"),
        (r'groups = \["radiomics"\]', 'groups = ["radio"]', "'radio' is no group"),
        (
            'parameters_of = "combined"\n\n\\[\\[variants',
            'parameters_of = "clinical"\n\n[[variants',
            "is searched itself",
        ),
        ('how = "chance"', 'how = "date"', "split.column"),
        ('how = "chance"', 'how = "luck"', "must be one of none, chance, date, centre"),
        ("sensitivity = 0.9", "sensitivity = 9", "above 0, up to 1"),
        ('name = "residual-back-pain"', 'name = "Residual back pain"', "lower-case letters"),
        ("seed = 2025", "seed = 2025 2026", "no valid TOML"),
        ("candidates = 100", "candidates = 0", "must be 1 or more"),
    ],
)
def test_what_does_not_fit_is_named(pattern, new, words):
    text, count = re.subn(pattern, new, GE)
    assert count
    with pytest.raises(UserError) as error:
        design_of(text, "design.toml")
    assert words in error.value.what
    assert "design.toml" in error.value.what


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "design.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        read_design(tmp_path / "design.toml")
    with pytest.raises(UserError, match="cannot be read"):
        read_design(tmp_path / "none.toml")


def test_the_schema_names_what_may_stand():
    schema = json.loads(json.dumps(design_schema()))
    assert set(schema["required"]) >= {"schema", "name", "outcome", "seed", "tables", "groups", "variants"}
    assert schema["$defs"]["TableKind"]["enum"] == ["clinical", "wide", "patients", "multiparametric"]
