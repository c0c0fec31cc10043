"""CT attenuation of cancellous bone.

Trabecular attenuation is read well inside the shell: on CT of 1 to 5 mm it stops depending on the distance to the shell
at about 4 mm. What is no bone of the level's own kind (a vessel, sclerosis, a haemangioma, cement, metal) is left out,
and named. Contrast medium raises attenuation; the phase is an explicit input.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from ..body_shape import BodyShape
from ..distance import depth_mm
from ..image import Volume
from ..measurement import protocol_id
from .exclusions import find_exclusions
from .findings import ExclusionSettings, Finding

HU = "[hnsf'U]"  # UCUM
_FLAGGED_SHARE, _MOST_SHARE = 1 / 3, 2 / 3  # left out: beyond these the rest no longer stands for the level


@dataclass(frozen=True)
class TrabecularSettings:
    """Where trabecular attenuation is read.

    Parameters
    ----------
    inset_mm : float
        Least depth below the surface of the vertebral body.
    fewest_voxels : int
        Fewer give no value.
    exclude : bool
        Whether vessels, lesions, cement and metal are left out.
    exclusions : ExclusionSettings
        How they are found.
    """

    inset_mm: float = 4.0
    fewest_voxels: int = 30
    exclude: bool = True
    exclusions: ExclusionSettings = field(default_factory=ExclusionSettings)

    @property
    def protocol_id(self) -> str:
        """Identifies how the attenuation was read."""
        return protocol_id("trabecular", asdict(self))


@dataclass(frozen=True)
class Attenuation:
    """Statistics of a region: HU, and the number of its voxels."""

    mean: float
    sd: float
    median: float
    voxels: int
    p5: float
    p25: float
    p75: float
    p95: float


@dataclass(frozen=True, eq=False)
class TrabecularReading:
    """What was read in the cancellous bone of one level.

    Parameters
    ----------
    region : ndarray of bool, shape (k, j, i)
        What was read, on the grid of the CT: nothing that was left out belongs to it.
    found : mapping of Finding to ndarray of bool
        What was left out, by kind; the masks do not overlap.
    dark : ndarray of bool
        Parts of the region that are darker than the rest: bone that has been lost, or a haemangioma.
    values : ndarray
        Attenuation of the voxels of the region, HU.
    plain : Attenuation
        Of region and found together: what is read when nothing is left out.
    voxel_volume : float
        mm³.
    fewest_voxels : int
        Fewer give no value.
    """

    region: np.ndarray
    found: Mapping[Finding, np.ndarray]
    dark: np.ndarray
    values: np.ndarray
    plain: Attenuation
    voxel_volume: float
    fewest_voxels: int

    @property
    def shares(self) -> dict[Finding, float]:
        """Share of the cancellous bone well inside the shell that each kind took away (0-1)."""
        return {kind: np.count_nonzero(mask) / self.plain.voxels for kind, mask in self.found.items()}

    @property
    def excluded_fraction(self) -> float:
        """Share that was left out (0-1)."""
        return 1 - self.values.size / self.plain.voxels

    @property
    def statistics(self) -> Attenuation:
        """Statistics of the region, HU.

        Raises
        ------
        ValueError
            When over two thirds were left out, or too few voxels remain: the rest does not stand for the level.
        """
        if self.excluded_fraction > _MOST_SHARE:
            raise ValueError(f"{self.excluded_fraction:.0%} of the cancellous bone is no bone to read: {self._named()}")
        if self.values.size < self.fewest_voxels:
            raise ValueError(f"only {self.values.size} voxels are left beside {self._named()}")
        return attenuation(self.values)

    @property
    def volume(self) -> float:
        """Volume of the region, cm³."""
        return self.values.size * self.voxel_volume / 1000

    @property
    def note(self) -> str:
        """What was left out, and what to keep in mind; empty where nothing was."""
        texts = [f"left out: {self._named()}"] if self.found else []
        if self.dark.any():
            share = np.count_nonzero(self.dark) / self.plain.voxels
            texts.append(f"a dark part ({share:.0%}) was left in: bone that has been lost, or a haemangioma?")
        if self.excluded_fraction > _FLAGGED_SHARE:
            texts.append("over a third of the cancellous bone: the rest may not stand for the level")
        if Finding.METAL in self.found:
            texts.append("streaks of metal reach beyond what was left out")
        return "; ".join(texts)

    @property
    def flagged(self) -> bool:
        """Whether the value needs a reader: all but a vessel does."""
        return bool(self.dark.any() or set(self.found) - {Finding.VESSEL} or self.excluded_fraction > _FLAGGED_SHARE)

    def rows(self) -> Iterator[tuple[str, str, float]]:
        """Return name, UCUM unit and value of each measurement of the level's cancellous bone.

        Raises
        ------
        ValueError
            As `statistics`.
        """
        found = self.statistics
        yield "trabecular_attenuation", HU, found.mean
        for name in ("sd", "median", "p5", "p25", "p75", "p95"):
            yield f"trabecular_attenuation_{name}", HU, getattr(found, name)
        yield "trabecular_volume", "cm3", self.volume
        yield "trabecular_excluded_fraction", "1", self.excluded_fraction

    def _named(self) -> str:
        return ", ".join(f"{kind.words} {max(share, 0.001):.1%}" for kind, share in self.shares.items())


def read_trabecular(
    ct: Volume,
    body: np.ndarray,
    cancellous: np.ndarray,
    shape: BodyShape | None,
    settings: TrabecularSettings,
) -> TrabecularReading:
    """Read the cancellous bone of one level, well inside the shell.

    Parameters
    ----------
    ct : Volume
        HU; a crop around the level with a margin of a few voxels will do (metal is looked for in all of it).
    body, cancellous : ndarray of bool, shape (k, j, i)
        On the CT's grid.
    shape : BodyShape or None
        The body in its own frame; without it the basivertebral vessels are not looked for.
    settings : TrabecularSettings

    Raises
    ------
    ValueError
        When the body is too small, or the CT holds values that are no numbers.
    """
    region = trabecular_region(body, ct, settings) & cancellous
    if np.count_nonzero(region) < settings.fewest_voxels:
        raise ValueError(f"only {np.count_nonzero(region)} voxels of cancellous bone lie well inside the body")
    plain = attenuation(ct.array[region])
    found, dark = {}, np.zeros_like(region)
    if settings.exclude:
        found, dark = find_exclusions(ct, region, shape, settings.exclusions)
    for mask in found.values():
        region = region & ~mask
    values = ct.array[region].astype(float)
    return TrabecularReading(region, found, dark, values, plain, ct.voxel_volume, settings.fewest_voxels)


def trabecular_region(body: np.ndarray, volume: Volume, settings: TrabecularSettings) -> np.ndarray:
    """Return the part of a vertebral body (bool, shape (k, j, i)) deeper than the inset.

    Raises
    ------
    ValueError
        When fewer voxels are left than `settings.fewest_voxels`.
    """
    region = depth_mm(body, volume.spacing) >= settings.inset_mm
    count = np.count_nonzero(region)
    if count < settings.fewest_voxels:
        raise ValueError(f"only {count} voxels lie deeper than {settings.inset_mm:g} mm in the body")
    return region


def attenuation(values: np.ndarray) -> Attenuation:
    """Return mean, sample SD, median and percentiles of the CT values (HU) of a region.

    Raises
    ------
    ValueError
        When a value is not finite or there are fewer than two.
    """
    if values.size < 2:
        raise ValueError("the region holds fewer than two voxels")
    if not np.all(np.isfinite(values)):
        raise ValueError("the region holds values that are no numbers")
    values = values.astype(float)
    p5, p25, median, p75, p95 = np.percentile(values, (5, 25, 50, 75, 95)).tolist()
    return Attenuation(float(values.mean()), float(values.std(ddof=1)), median, values.size, p5, p25, p75, p95)
