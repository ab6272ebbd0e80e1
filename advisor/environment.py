"""Process-wide switches that must be set before the libraries they govern are imported."""

from __future__ import annotations

import os

SWITCHES = {
    # Nothing leaves the machine: every library's telemetry is off and no model hub is contacted.
    "ANONYMIZED_TELEMETRY": "False",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
    # NumPy's and torch's thread pools fight over the same cores: without this a query takes twice as long.
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare() -> None:
    """Set each switch; telemetry and hub access are forced, thread counts keep what the user set."""
    for name, value in SWITCHES.items():
        if name in ("OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
            os.environ.setdefault(name, value)
        else:
            os.environ[name] = value
