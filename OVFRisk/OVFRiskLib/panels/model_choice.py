"""Which models there are to choose from, which are chosen, and what each says of itself."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..image import Modality
from ..models.card import Combination, Input, ModelCard, Origin
from ..models.catalogue import catalogued, model_names
from ..models.model import Model
from ..models.scoring import figure, rate
from .session import IMAGES, Session
from .words import _


@dataclass(frozen=True)
class Entry:
    """A model to choose, or why it cannot be chosen.

    Parameters
    ----------
    key : str
        Its name, or the path of its file.
    title : str
    remark : str
        What to know before choosing: where its numbers come from, or what is wrong with its file.
    model : Model or None
        None where its file cannot be used; `remark` says why.
    of_a_file : bool
        Whether the user opened it.
    """

    key: str
    title: str
    remark: str
    model: Model | None
    of_a_file: bool = False

    @property
    def usable(self) -> bool:
        """Whether it can give a result."""
        return self.model is not None and self.model.predictor is not None


class ModelChoice:
    """The models of OVFRisk and of the files that the user opened; kept with the scene.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loaded: dict[tuple, Entry] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every model: first those that can be applied, then those whose numbers were not published."""
        own = [Entry(name, model.card.title, _remark(model), model) for name, model in _catalogue()]
        files = [self._entry(Path(path)) for path in _lines(self._session.parameters.model_files)]
        return (*(one for one in own if one.usable), *files, *(one for one in own if not one.usable))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The keys of the models to apply: the published ones of the images there are, until the user chooses."""
        if self._session.parameters.models_proposed:
            return self._proposed()
        known = [one.key for one in self.entries]
        wanted = _lines(self._session.parameters.models)
        return tuple(key for key in known if key in wanted)

    @property
    def proposed_reason(self) -> str:
        """Why these models are chosen; empty where the user chose them."""
        if not self._session.parameters.models_proposed:
            return ""
        if not self.chosen:
            return _("No model is chosen: choose the images first.")
        return _("Proposed: every published cut-off for the images that are chosen.")

    def entry(self, key: str) -> Entry:
        """Return the model of a key."""
        return next(one for one in self.entries if one.key == key)

    def choose(self, key: str, wanted: bool) -> None:
        """Apply a model, or do not; from now on the choice is the user's."""
        chosen = [one for one in self.chosen if one != key] + ([key] if wanted else [])
        self._keep(chosen)

    def open(self, path: Path) -> Entry:
        """Add the bundle of a file, and choose it.

        Raises
        ------
        UserError
            When it is no sound bundle; nothing is added then.
        """
        path = path.expanduser().absolute()
        Model.load(path)
        parameters = self._session.parameters
        files = dict.fromkeys([*_lines(parameters.model_files), str(path)])
        parameters.model_files = "\n".join(files)
        self.choose(str(path), True)
        return self.entry(str(path))

    def forget(self, key: str) -> None:
        """Take a file's model from the list; the file itself stays."""
        parameters = self._session.parameters
        self.choose(key, False)
        parameters.model_files = "\n".join(one for one in _lines(parameters.model_files) if one != key)

    def _keep(self, chosen: list[str]) -> None:
        self._session.parameters.models = "\n".join(chosen)
        self._session.parameters.models_proposed = False

    def _proposed(self) -> tuple[str, ...]:
        there = {modality for modality in IMAGES if self._session.node(modality) is not None}
        imaged = {True: Modality.CT in there, False: bool(there - {Modality.CT})}
        published = [(name, model.card) for name, model in _catalogue() if model.card.origin is Origin.PUBLISHED]
        return tuple(name for name, card in published if imaged[card.modality is Modality.CT])

    def _entry(self, path: Path) -> Entry:
        """Return the model of a file as it is now, read again only when the file has changed."""
        try:
            state = os.stat(path)
        except OSError:
            why = _("Its file is not there any more: {path}").format(path=path)
            return Entry(str(path), path.stem, why, None, of_a_file=True)
        stamp = (str(path), state.st_mtime_ns, state.st_size)
        if stamp not in self._loaded:
            self._loaded[stamp] = _loaded(path)
        return self._loaded[stamp]


def card_facts(model: Model) -> tuple[tuple[str, str], ...]:
    """Return what a reader has to know before using a model: title and text, the limits first."""
    card = model.card
    facts = (
        (_("For"), card.intended_use),
        (_("Not for"), card.not_for),
        (_("Tells"), _told(card)),
        (_("Made on"), _population(card)),
        (_("Needs"), _needs(card)),
        (_("Bounds"), bounds_text(model)),
        (_("Performance"), "; ".join(map(figure, card.performance))),
        (_("Validation"), card.validation),
        (_("Source"), card.citation),
        (_("Licence"), card.licence),
        (_("Identifier"), model.id),
    )
    return tuple((name, text) for name, text in facts if text)


def bounds_text(model: Model) -> str:
    """Return the cut-offs with what lies on either side and how often that is right."""
    return "; ".join(_bounds(model.card))


def warning_of(model: Model) -> str:
    """Return what must not be overlooked; empty where there is nothing."""
    if model.card.synthetic:
        return _("Trained on simulated patients: shows how it works, says nothing about a real patient.")
    if model.predictor is None:
        return _("The numbers of this model were not published: it names its inputs, but gives no result.")
    return ""


def _told(card: ModelCard) -> str:
    how = {
        Combination.PATIENT: _("one result of the patient"),
        Combination.LEVEL: _("one result a level"),
        Combination.MAXIMUM: _("the highest of the levels"),
        Combination.MEAN: _("the mean of the levels"),
    }
    return f"{card.outcome} ({card.output}, {how[card.combination]})"


def _population(card: ModelCard) -> str:
    low, high = card.population.age
    known = (
        card.population.text,
        f"n = {card.population.n}" if card.population.n else "",
        _("{events} with the outcome").format(events=card.population.events) if card.population.events else "",
        _("age {low} to {high}").format(low=f"{low:g}", high=f"{high:g}") if None not in (low, high) else "",
    )
    return ", ".join(text for text in known if text)


def _needs(card: ModelCard, most: int = 8) -> str:
    titles = [_needed(one) for one in card.inputs]
    more = [_("and {n} more").format(n=len(titles) - most)] if len(titles) > most else []
    return "; ".join((*titles[:most], *more))


def _needed(one: Input) -> str:
    return _("{title} (sum of {n} features)").format(title=one.title, n=len(one.terms)) if one.terms else one.title


def _bounds(card: ModelCard) -> Iterator[str]:
    for one in card.thresholds:
        low, high = (_("below"), _("from")) if one.at_value == "above" else (_("up to"), _("above"))
        name = "" if one.name in (one.below, one.above) else f"{one.name}: "
        shares = {_("sensitivity"): one.sensitivity, _("specificity"): one.specificity}
        known = "".join(f", {title} {rate(share)}" for title, share in shares.items() if share)
        yield f"{name}{one.below} {low} {one.value:g}, {one.above} {high} {one.value:g}{known}"


def _catalogue() -> list[tuple[str, Model]]:
    return [(name, catalogued(name)) for name in model_names()]


def _remark(model: Model) -> str:
    if model.card.synthetic:
        return _("simulated patients only")
    remarks = {
        Origin.PUBLISHED: _("published"),
        Origin.TRAINED: _("trained"),
        Origin.NOT_PUBLISHED: _("numbers not published: gives no result"),
    }
    return remarks[model.card.origin]


def _loaded(path: Path) -> Entry:
    try:
        model = Model.load(path)
    except UserError as error:
        return Entry(str(path), path.stem, f"{error.what} {error.what_to_do}", None, of_a_file=True)
    return Entry(str(path), model.card.title, f"{_remark(model)}, {path.name}", model, of_a_file=True)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]
