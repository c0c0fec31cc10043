"""Loops that are compiled to machine code by Numba at first use, and kept on disk for the next run.

Every kernel is a plain Python function here: it says the same, slowly, where Numba is switched off
(``NUMBA_DISABLE_JIT=1``). Kernels release the interpreter's lock, so regions run on all cores.
"""

from .compiling import ready

__all__ = ["ready"]
