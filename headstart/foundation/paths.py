"""Where the pipeline's files are, relative to the project's folder."""

from pathlib import Path

DATA = Path("data")
PREPARED = Path("data/prepared")
MANIFEST = PREPARED / "manifest.csv"
WEIGHTS = Path("data/weights/base.npz")
ORIGIN = Path("data/weights/origin.json")
FEATURES = Path("data/features")
TRUNK = Path("data/trunk")
FLIPPED = Path("data/flipped")
EXTRACTION = FEATURES / "extraction.json"
DOWNLOADS = Path("data/downloads")
PINS = Path("data/weights.pins.json")
MODELS = Path("models")
WINNER = MODELS / "winner"
METRICS = Path("metrics")
PLOTS = Path("plots")
EVALUATION = METRICS / "evaluation.json"
TABLES = PLOTS / "evaluation"
PREVIEW = PLOTS / "augmentation.png"
EXPLANATION = PLOTS / "explain"
PAGE = PLOTS / "report.html"
