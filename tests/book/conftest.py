"""The scripts of the book and the benchmarks are imported by name, as they import each other."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "benchmarks")]
