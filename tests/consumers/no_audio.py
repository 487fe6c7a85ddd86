"""An empty `torchaudio`, which LLaMA-Factory imports whatever it loads, and which registries hold for CUDA alone.

No sound is in the data, so nothing of it is ever called.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

stand_in = ModuleType("torchaudio")
stand_in.__spec__ = ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = stand_in
