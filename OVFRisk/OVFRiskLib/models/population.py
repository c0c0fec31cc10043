"""Is this patient like those that the model was made on? What differs, or is not known, is a warning."""

from collections.abc import Iterator

from ..image import Modality
from ..vbq.comparability import FIELD_NOTE, published_comparability
from .card import ModelCard
from .facts import Facts

_SCANNERS = "the patient's scanner and the model's"
_SEXES = {"F": "women", "M": "men"}
_UNLIKE = {  # of a setting: what to say where it was another one
    "vbq_statistic": "the model was made with the {wanted} of the levels, not their {found}",
}


def population_warnings(card: ModelCard, facts: Facts) -> tuple[str, ...]:
    """Return in what a patient, the images or the measuring differ from what the model was made on.

    What the card does not state is no warning; what it states and the facts do not, is.

    Parameters
    ----------
    card : ModelCard
    facts : Facts
    """
    checks = (_synthetic, _sex, _age, _phase, _acquisition, _settings)
    return tuple(text for check in checks for text in check(card, facts))


def population_refusal(card: ModelCard, facts: Facts) -> str:
    """Return why a strict model gives this patient no result; empty where it does.

    Parameters
    ----------
    card : ModelCard
    facts : Facts
        What is not known refuses nothing: it is a warning.
    """
    if not card.population.strict:
        return ""
    unlike = [
        text
        for known, check in ((facts.sex, _sex), (facts.age, _age))
        if known is not None
        for text in check(card, facts)
    ]
    return f"{'; '.join(unlike)}; it says nothing of this patient" if unlike else ""


def _synthetic(card: ModelCard, facts: Facts) -> Iterator[str]:
    if card.synthetic:
        yield "trained on SYNTHETIC patients: never for a real one"
    if facts.synthetic:
        yield "SYNTHETIC images of a simulated patient: for demonstration and tests only"


def _sex(card: ModelCard, facts: Facts) -> Iterator[str]:
    known = card.population.sex
    if not known or set(_SEXES) <= set(known):
        return
    who = " and ".join(_SEXES[sex] for sex in known)
    if facts.sex is None:
        yield f"sex not given: the model was made on {who} only"
    elif facts.sex not in known:
        yield f"sex {facts.sex}: the model was made on {who} only"


def _age(card: ModelCard, facts: Facts) -> Iterator[str]:
    low, high = card.population.age
    if low is None and high is None:
        return
    who = f"patients aged {_span(low, high)}"
    if facts.age is None:
        yield f"age not given: the model was made on {who}"
    elif (low is not None and facts.age < low) or (high is not None and facts.age > high):
        yield f"age {facts.age:g}: the model was made on {who}"


def _span(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low:g} or more"
    return f"{high:g} or less" if low is None else f"{low:g} to {high:g}"


def _phase(card: ModelCard, facts: Facts) -> Iterator[str]:
    known, found = [_words(phase) for phase in card.population.phases], facts.phase and _words(facts.phase)
    if card.modality is not Modality.CT or found in known:
        return
    made = f"the model was made on CTs of the contrast phase {' or '.join(known)}"
    if known:
        yield f"contrast phase {found or 'not given'}: {made}; contrast medium changes attenuation"
    elif found not in (None, "none"):
        yield f"contrast phase {found}: that of the model's CTs is not known; contrast medium changes attenuation"


def _words(phase: str) -> str:
    """Return a phase as the cards write it: ours has a hyphen, ``portal-venous``."""
    return phase.replace("-", " ").lower()


def _acquisition(card: ModelCard, facts: Facts) -> Iterator[str]:
    found = facts.acquisitions.get(card.modality, {})
    of_vbq = any(one.name.startswith("vbq_") for one in card.inputs)
    for text in published_comparability(found, card.modality, card.population.acquisitions, _SCANNERS):
        yield text if of_vbq else text.removesuffix(f": {FIELD_NOTE}")


def _settings(card: ModelCard, facts: Facts) -> Iterator[str]:
    for name, wanted in card.settings.items():
        found, plain = facts.settings.get(name), name.replace("_", " ")
        if found is None:
            yield f"{plain} not known: the model was made with {wanted}"
        elif found != wanted:
            unlike = _UNLIKE.get(name, "{plain} {found}: the model was made with {wanted}")
            yield unlike.format(plain=plain, wanted=wanted, found=found)
