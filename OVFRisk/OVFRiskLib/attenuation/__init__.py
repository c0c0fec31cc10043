"""CT attenuation of cancellous bone, and the contrast phase that raises it."""

from .phase import Phase
from .trabecular import Attenuation, TrabecularSettings, attenuation, trabecular_region

__all__ = ["Attenuation", "Phase", "TrabecularSettings", "attenuation", "trabecular_region"]
