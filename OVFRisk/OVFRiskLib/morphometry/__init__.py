"""Heights of the vertebral bodies, and what they tell."""

from .heights import Heights, HeightSettings, measure_heights

__all__ = ["HeightSettings", "Heights", "measure_heights"]
