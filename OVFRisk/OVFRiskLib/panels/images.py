"""The panel Images: which volume is what, whose they are, and what is known of the CT."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import slicer

from ..errors import UserError
from ..image import Modality, Volume
from ..scene.volumes import acquisition_of, keep_acquisition, matrix_of, size_of
from .parameters import CalibrationChoice, PhaseChoice, Sex
from .session import IMAGES, Session
from .words import _

_MADE = "OVFRisk.Modality"  # node attribute of mrml.add_volume
_DICOM = "DICOM.instanceUIDs"  # node attribute of Slicer's DICOM module
_OLDEST = 120.0
_AIR_HU = -500.0  # in a CT some voxels are air or lung; no MR image goes below 0 as far
_CT_WORDS = re.compile(r"(?<![a-z])ct(?![a-z])", re.IGNORECASE)
_SAMPLE = ("--seed", 1, "--spacing", 1.5, "--fracture", "L1:wedge:0.30")
_SAMPLE_FIELD = "1.5"  # T


@dataclass(frozen=True)
class Choice:
    """Which volume is proposed for one image.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode or None
        None where there is none, or where several are alike.
    reason : str
    doubts : tuple of str
    """

    node: slicer.vtkMRMLScalarVolumeNode | None
    reason: str
    doubts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return reason and doubts in one."""
        return "; ".join((self.reason, *self.doubts))


class Images:
    """What the panel Images does.

    Parameters
    ----------
    session : Session
    file_of : callable, optional
        Returns the file of a DICOM instance UID, or an empty text: Slicer's database.
    """

    def __init__(self, session: Session, file_of: Callable[[str], str] | None = None) -> None:
        self.session = session
        self._file_of = file_of
        self._proposed: dict[Modality, Choice] = {}
        self.phase_reason = ""
        session.observe("scene", self._forget)

    def propose(self) -> None:
        """Choose a volume for each image that has none; what the user chose stays."""
        self._proposed = self.proposals()
        for modality, choice in self._proposed.items():
            if self.session.node(modality) is None and choice.node is not None:
                setattr(self.session.parameters, IMAGES[modality], choice.node)
        self.session.tell("images")

    def proposals(self) -> Mapping[Modality, Choice]:
        """Return what each image probably is, from names, headers and values of the scene's volumes."""
        nodes = [node for node in volumes_of(self.session.scene) if node.GetImageData() is not None]
        if not nodes:
            return {}
        for node in nodes:
            self._learn(node)
        cts = [node for node in nodes if _ct_reason(node)]
        return {Modality.CT: _one_ct(cts), **_mr([node for node in nodes if node not in cts])}

    def reason(self, modality: Modality) -> str:
        """Return why the chosen volume was proposed, or what speaks for choosing none."""
        choice, node = self._proposed.get(modality), self.session.node(modality)
        if choice is None:
            return ""
        if node is None or choice.node is node:
            return choice.text
        return _("Your choice; proposed was: {name}").format(name=choice.node.GetName() if choice.node else "–")

    def problems(self) -> tuple[str, ...]:
        """Return what should be put right before anything is measured."""
        chosen = self.session.parameters
        nodes = [node for node in map(self.session.node, IMAGES) if node is not None]
        twice = {node.GetName() for node in nodes if nodes.count(node) > 1}
        found = [_("'{name}' is chosen twice.").format(name=name) for name in sorted(twice)]
        found += filter(None, (subject_problem(chosen.subject), self._calibration_problem()))
        if chosen.age > _OLDEST:
            found.append(_("An age of {age:g} years is hardly meant.").format(age=chosen.age))
        return tuple(found)

    def propose_phase(self) -> PhaseChoice | None:
        """Propose the contrast phase from the vessels of the chosen segmentation; why stands in `phase_reason`.

        Raises
        ------
        UserError
            When there is no CT, or no segmentation to read it from.
        """
        from ..attenuation import propose_phase
        from ..mrml import label_map_of

        ct = self.session.volume(Modality.CT)
        node = self.session.parameters.structures or self.session.parameters.segmentation
        if ct is None or node is None:
            raise UserError(
                _("The contrast phase is read from vessels: it needs a CT and a segmentation of them."),
                _("Choose both, or set the phase by hand from the request or the header."),
            )
        proposal = propose_phase(ct, label_map_of(node, ct))
        self.phase_reason = "; ".join(filter(None, (proposal.reason, proposal.doubt)))
        self.session.tell("images")
        return PhaseChoice(str(proposal.phase)) if proposal.phase else None

    @property
    def phase_hint(self) -> str:
        """What is known of the contrast phase, for the line below it."""
        node = self.session.node(Modality.CT)
        if self.phase_reason or node is None:
            return self.phase_reason
        stated = "ContrastBolusAgent" in acquisition_of(node)
        return _("The header states a contrast agent.") if stated else ""

    def open_sample(self) -> None:
        """Make the synthetic sample patient with a wedge fracture of L1, and open it."""
        self.session.start(_("Making the sample patient"), _sample_arguments, self._add_sample)

    def ct_options(self) -> tuple[str, ...]:
        """Return what is known of the CT as options of ``ovfrisk analyze``."""
        chosen = self.session.parameters
        options = ["--phase", chosen.phase.value] if chosen.phase.value else []
        if chosen.calibration is CalibrationChoice.LINE:
            options += ["--calibration", chosen.calibration_file]
        elif chosen.calibration is CalibrationChoice.RODS:
            options += ["--rods", chosen.rods]
        elif chosen.calibration is CalibrationChoice.INTERNAL:
            options.append("--internal-calibration")
        return tuple(options)

    def _add_sample(self, folder: Path) -> None:
        from ..scene.sample import add_sample

        sample, chosen = add_sample(self.session.scene, folder), self.session.parameters
        for modality, node in sample.volumes.items():
            setattr(chosen, IMAGES[modality], node)
        chosen.subject, chosen.sex, chosen.age = sample.subject, Sex(sample.sex), sample.age
        chosen.phase, chosen.synthetic = PhaseChoice.NONE, True
        self._proposed = self.proposals()
        self.session.tell("images")
        self.session.say(
            _("The synthetic sample patient is open: no human being was imaged."),
            _("Go on in the tab Segmentation."),
        )

    def _calibration_problem(self) -> str:
        chosen = self.session.parameters
        if chosen.calibration is CalibrationChoice.LINE and not Path(chosen.calibration_file).is_file():
            return _("Choose the JSON file with the scanner's line.")
        if chosen.calibration is CalibrationChoice.RODS and not densities(chosen.rods):
            return _("Write the densities of the rods in mg/cm³, such as 0,50,100,200.")
        return ""

    def _learn(self, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Keep on the node how it was acquired, as far as Slicer's DICOM database knows."""
        uids = (node.GetAttribute(_DICOM) or "").split()
        path = self._file_of(uids[0]) if uids and self._file_of and not acquisition_of(node) else ""
        if path:
            from ..files.dicom_headers import acquisition, slices_of

            images = slices_of(Path(path))
            keep_acquisition(node, {"Modality": images[0].modality, **acquisition(images[0])} if images else {})

    def _forget(self) -> None:
        self._proposed, self.phase_reason = {}, ""


def volumes_of(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Return the scene's images: no label maps, nothing hidden."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    nodes = [scene.GetNthNodeByClass(n, "vtkMRMLScalarVolumeNode") for n in range(count)]
    return [n for n in nodes if n.GetClassName() == "vtkMRMLScalarVolumeNode" and not n.GetHideFromEditors()]


def subject_problem(text: str) -> str:
    """Return why a subject code may be a patient's name; empty where it looks like a code."""
    words = [word for word in re.split(r"[\s,^_.;-]+", text) if word]
    names = [word for word in words if len(word) > 1 and word.isalpha() and not word.isupper()]
    if "^" in text or "," in text or len(names) > 1 or (names and not any(c.isdigit() for c in text)):
        return _("'{text}' looks like a name. Use a code: it stands in every table and file.").format(text=text)
    return ""


def densities(text: str) -> tuple[float, ...]:
    """Return the densities of rods that a text lists; empty where it is no list of numbers."""
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        return ()


def _sample_arguments(folder: Path) -> tuple[object, ...]:
    from ..phantom import typical_acquisition

    facts = typical_acquisition(_SAMPLE_FIELD)
    stated = [f"{name}:{key}={value}" for name, found in facts.items() for key, value in found.items()]
    options = [option for text in stated for option in ("--acquisition", text)]
    return ("phantom", folder / "result", *_SAMPLE, *options)


def _ct_reason(node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """Return why a volume is a CT; empty where it is none."""
    made, stated = node.GetAttribute(_MADE), acquisition_of(node).get("Modality")
    if made:
        return _marked(Modality.CT) if made == Modality.CT else ""
    if stated:
        return _("stated by its header") if stated == Modality.CT else ""
    low = node.GetImageData().GetScalarRange()[0]
    if low > _AIR_HU:
        return ""
    named = _CT_WORDS.search(node.GetName() or "")
    return _("named CT, and holds air (HU)") if named else _("its values reach from air ({low:g}) up").format(low=low)


def _one_ct(nodes: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> Choice:
    if not nodes:
        return Choice(None, _("no volume has a CT's values"))
    if len(nodes) == 1:
        return Choice(nodes[0], _ct_reason(nodes[0]))
    named = _(" and ").join(node.GetName() for node in nodes)
    return Choice(None, _("{names} could be the CT: choose one").format(names=named))


def _mr(nodes: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> dict[Modality, Choice]:
    from ..vbq.sequence_choice import Candidate, propose_exam

    made = {node.GetAttribute(_MADE): node for node in nodes}
    others = [node for node in nodes if node.GetAttribute(_MADE) not in IMAGES]
    keys = {f"{node.GetName()} ({node.GetID()})": node for node in others}
    choices = propose_exam([Candidate.from_volume(key, _outline(node)) for key, node in keys.items()])
    found = {}
    for modality, choice in choices.items():
        found[modality] = Choice(keys.get(choice.key), choice.reason, tuple(choice.doubts))
        if modality in made:
            found[modality] = Choice(made[modality], _marked(modality))
    return found


def _marked(modality: Modality) -> str:
    return _("marked as {modality} by OVFRisk").format(modality=modality)


def _outline(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """Return the volume's place and header with the words of its name, without its voxels."""
    from ..files.dicom_words import words_in

    facts = dict(acquisition_of(node))
    words = words_in(node.GetName() or "") | set(filter(None, facts.get("DescriptionWords", "").split("\\")))
    facts["DescriptionWords"] = "\\".join(sorted(words))
    empty = np.broadcast_to(np.int8(0), size_of(node)[::-1])
    return replace(Volume(empty, matrix_of(node)), acquisition=facts)
