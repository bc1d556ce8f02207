"""Where things lie: downloads in the user's cache, state in the checkout."""

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnabout"
STATE: Final = ROOT / ".turnabout"
FAST_DATABASE: Final = CACHE / "fast-db" / "bin" / "secantusd-rs"
NODE_MODULES: Final = CACHE / "npm" / "node_modules"
