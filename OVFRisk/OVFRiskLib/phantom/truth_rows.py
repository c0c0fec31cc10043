"""Collects the rows of the ground truth."""

from ..anatomy import Compartment, Structure, VertebralLevel
from ..measurement import Measurement, Quality, protocol_id
from .settings import PhantomSettings

HU = "[hnsf'U]"  # UCUM
Part = Compartment | Structure | None


class Truth:
    """Collects the rows of one patient."""

    def __init__(self, settings: PhantomSettings) -> None:
        self.subject = settings.subject
        self.protocol = protocol_id("phantom", settings.as_json())
        self.rows: list[Measurement] = []

    def row(
        self, level: VertebralLevel | None, part: Part, name: str, value: float, unit: str, note: str = ""
    ) -> Measurement:
        return Measurement(self.subject, level, part, name, float(value), unit, self.protocol, note=note)

    def add(self, level: VertebralLevel | None, part: Part, name: str, value: float, unit: str, note: str = "") -> None:
        self.rows.append(self.row(level, part, name, value, unit, note))

    def absent(self, level: VertebralLevel | None, part: Part, name: str, unit: str, reason: str) -> None:
        where = (self.subject, level, part, name, None, unit, self.protocol)
        self.rows.append(Measurement(*where, quality=Quality.ABSENT, note=reason))
