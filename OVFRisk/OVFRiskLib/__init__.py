"""OVFRisk: how fragile is this spine? Vertebral measurements on CT and MRI.

Importing this package loads the standard library and numpy, nothing else: Slicer imports it at start-up.
"""

__version__ = "0.1.0"
