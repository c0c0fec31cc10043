"""The training itself: patches in, a network out. With the same cases and settings it comes out the same."""

import math
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError, import_optional
from ..bundle_config import Window
from ..bundle_network import build_network, first_line
from ..engines import Report
from ..sliding_window import Reference, classify
from .cases import PARTS, Case
from .network import inferer, network_definition, scaled
from .samples import Sample, draw, prepare
from .settings import TrainingSettings

_FEATURE = "Training a network"
_AROUND_MM = 15.0  # of the spine that the validation looks at
_HALF = 127  # of 255


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Parameters
    ----------
    settings : TrainingSettings
    weights : mapping of str to Tensor
        Of the epoch with the best validation Dice.
    losses : tuple of float
        Mean of each epoch.
    dice : tuple of tuple of float
        On the validation cases, of each epoch and part.
    best : int
        The epoch of `weights`, from 0.
    trained_on, validated_on : tuple of str
        Names of the cases.
    """

    settings: TrainingSettings
    weights: dict[str, Any]
    losses: tuple[float, ...]
    dice: tuple[tuple[float, ...], ...]
    best: int
    trained_on: tuple[str, ...]
    validated_on: tuple[str, ...]


def train(
    cases: Sequence[Case],
    settings: TrainingSettings,
    report: Report,
    device: str = "cpu",
    state: Path | None = None,
) -> Trained:
    """Train a network on cases.

    Parameters
    ----------
    cases : sequence of Case
        Two or more: some are held back for validation.
    settings : TrainingSettings
    report : callable
        Is told share and words after each step; may raise KeyboardInterrupt to stop.
    device : str
    state : Path, optional
        File that keeps the state after each epoch; where it exists the training goes on from there.

    Raises
    ------
    UserError
        When there are too few cases, one cannot be read, or `state` is of another training.
    """
    learned, held_back = split(cases, settings)
    with tempfile.TemporaryDirectory(prefix="ovfrisk-training-") as folder, _deterministic():
        samples = prepare((*learned, *held_back), settings, Path(folder), lambda share, what: report(0.1 * share, what))
        run = _Run(settings, samples[: len(learned)], samples[len(learned) :], device)
        if state is not None and state.is_file():
            run.load(state)
        while not run.finished:
            run.epoch(report)
            if state is not None:
                run.save(state)
    return run.result()


def split(cases: Sequence[Case], settings: TrainingSettings) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Return the cases to learn from and those held back, drawn by the seed."""
    if len(cases) < 2:
        raise UserError("One case is not enough to train.", "Give two or more: some are held back for validation.")
    order = np.random.default_rng((settings.seed, 1)).permutation(len(cases))
    count = min(max(round(settings.validation_share * len(cases)), 1), len(cases) - 1)
    held = set(order[:count].tolist())
    return (
        tuple(case for n, case in enumerate(cases) if n not in held),
        tuple(case for n, case in enumerate(cases) if n in held),
    )


class _Run:
    """A training between two epochs."""

    def __init__(
        self, settings: TrainingSettings, learned: Sequence[Sample], held_back: Sequence[Sample], device: str
    ) -> None:
        self.torch = torch = import_optional("torch", _FEATURE)
        losses = import_optional("monai.losses", _FEATURE)
        self.settings, self.learned, self.device = settings, learned, device
        self.held_back = [_around_spine(sample, settings) for sample in held_back]
        self.names = tuple(s.name for s in learned), tuple(s.name for s in held_back)
        torch.manual_seed(settings.seed)
        self.network = build_network(network_definition(settings)).to(device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=settings.learning_rate)
        self.loss = losses.DiceCELoss(include_background=False, softmax=True, batch=True)
        self.losses: list[float] = []
        self.dice: list[list[float]] = []
        self.weights: dict[str, Any] = {}

    @property
    def best(self) -> int:
        """The epoch with the highest mean Dice."""
        return int(np.argmax([np.mean(each) for each in self.dice]))

    @property
    def finished(self) -> bool:
        done = len(self.losses)
        return done >= self.settings.epochs or (done > 0 and done - 1 - self.best >= self.settings.patience)

    def epoch(self, report: Report) -> None:
        """Take all steps of one epoch, and measure the Dice on the cases held back."""
        done, s = len(self.losses), self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = s.learning_rate * (1 + math.cos(math.pi * done / s.epochs)) / 2
        losses = []
        for step in range(s.steps):
            told = f"Epoch {done + 1} of at most {s.epochs}{self._so_far()}"
            report(0.1 + 0.9 * (done + step / s.steps) / s.epochs, told)
            losses.append(self._step(np.random.default_rng((s.seed, 2, done, step))))
        self.losses.append(float(np.mean(losses)))
        if not np.isfinite(self.losses[-1]):
            raise UserError("The training diverged: its loss is no number.", "Train with another --seed.")
        self.dice.append(
            self._validate(lambda: report(0.1 + 0.9 * (done + 1) / s.epochs, f"Validating epoch {done + 1}"))
        )
        if self.best == done:
            self.weights = {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}

    def load(self, state: Path) -> None:
        """Go on from `state`."""
        try:
            saved = self.torch.load(state, map_location="cpu", weights_only=True)
            same = saved["settings"] == self._identity()
            if same:
                self.network.load_state_dict(saved["network"])
                self.optimizer.load_state_dict(saved["optimizer"])
                self.losses, self.dice, self.weights = saved["losses"], saved["dice"], saved["weights"]
        except Exception as error:  # a damaged file fails in many ways
            raise UserError(
                f"{state} cannot be read: {first_line(error)}", "Remove it to train from the start."
            ) from error
        if not same:
            raise UserError(f"{state} is of a training with other cases or settings.", "Give those, or another file.")

    def save(self, state: Path) -> None:
        """Write the state after this epoch; never half of it."""
        partial = state.with_name(f".{state.name}.partial")
        saved = {"settings": self._identity(), "network": self.network.state_dict()}
        saved |= {"optimizer": self.optimizer.state_dict(), "losses": self.losses, "dice": self.dice}
        try:
            self.torch.save(saved | {"weights": self.weights}, partial)
            partial.replace(state)
        except OSError as error:
            raise UserError(f"{state} cannot be written: {error.strerror}.", "Choose another file.") from error
        finally:
            partial.unlink(missing_ok=True)

    def result(self) -> Trained:
        """Return the best network."""
        dice = tuple(tuple(each) for each in self.dice)
        return Trained(self.settings, self.weights, tuple(self.losses), dice, self.best, *self.names)

    def _identity(self) -> dict[str, Any]:
        return {**asdict(self.settings), "cases": [list(names) for names in self.names]}

    def _so_far(self) -> str:
        return f", best Dice {np.mean(self.dice[self.best]):.3f}" if self.dice else ""

    def _step(self, rng: np.random.Generator) -> float:
        patches = [draw(self.learned, self.settings, rng) for _ in range(self.settings.batch)]
        hu, parts = (np.stack(arrays) for arrays in zip(*patches))
        self.network.train()
        self.optimizer.zero_grad()
        scores = self.network(self.torch.from_numpy(scaled(hu)).to(self.device))
        loss = self.loss(scores, self.torch.from_numpy(parts).to(self.device))
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        return float(loss.detach())

    def _validate(self, report: Callable[[], None]) -> list[float]:
        """Return the Dice of each part over all cases held back."""
        self.network.eval()
        given = inferer(self.settings)
        window = Window(tuple(given["roi_size"]), given["overlap"], given["mode"])
        both, either = np.zeros(len(PARTS)), np.zeros(len(PARTS))
        for sample in self.held_back:
            image = self.torch.from_numpy(scaled(sample.hu)[None])
            same = Reference(sample.hu.shape, np.ones(3), np.zeros(3))
            found = classify(image, self.network, window, same, len(PARTS) + 1, lambda _: report())
            for n, share in enumerate(sample.parts):
                a, b = found == n + 1, share > _HALF
                both[n] += 2 * np.count_nonzero(a & b)
                either[n] += np.count_nonzero(a) + np.count_nonzero(b)
        return (both / either).tolist()


def _around_spine(sample: Sample, settings: TrainingSettings) -> Sample:
    """Return the part of a case around its labelled bone: validating on all of it would take longer than training."""
    margin = round(_AROUND_MM / settings.spacing_mm)
    places = np.concatenate(sample.places)
    low, high = np.maximum(places.min(axis=0) - margin, 0), places.max(axis=0) + margin + 1
    box = tuple(slice(a, b) for a, b in zip(low, high))
    return replace(sample, hu=np.array(sample.hu[box]), parts=np.array(sample.parts[(slice(None), *box)]))


@contextmanager
def _deterministic() -> Any:
    """Let PyTorch only do what gives the same numbers again."""
    torch = import_optional("torch", _FEATURE)
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
