"""Words are translated in the context of the file that says them."""

from OVFRiskLib.panels import words
from OVFRiskLib.panels.parameters import Sex


def test_the_context_is_the_files_own(monkeypatch):
    asked = []
    monkeypatch.setattr(words, "_translate", lambda context, text: asked.append((context, text)) or "weiblich")
    assert Sex.F.label() == "weiblich"
    assert ("panels.parameters", "female") in asked


def test_english_where_nothing_translates(monkeypatch):
    monkeypatch.setattr(words, "_translate", None)
    assert Sex.F.label() == "female"
