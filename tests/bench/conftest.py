"""The measurements are no part of the package: they are read from the root of the tree."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
