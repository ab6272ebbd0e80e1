"""The plan of the house holds: stages import only earlier ones, and each framework stays in its file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import advisor

ROOT = Path(advisor.__file__).parent
# Earlier stages first. A module may import from its own stage and from earlier ones.
STAGES = (
    ("environment", "errors", "text"),
    ("models",),
    ("settings",),
    ("store",),
    ("knowledge",),
    ("index",),
    ("ctr",),
    ("retrieve",),
    ("care",),
    ("answer",),
    ("engine",),
    ("feedback",),
    ("render",),
    ("batch",),
    ("terminal",),
    ("terminal_library",),
    ("web", "cli", "cli_batch", "cli_corpus", "cli_eval", "cli_feedback", "__main__"),
)
FRAMEWORKS = {
    "chromadb": ("index/vectors.py", "index/build.py"),  # build translates chromadb's errors
    "sentence_transformers": ("index/encoder.py",),
    "transformers": ("index/encoder.py",),
    "bm25s": ("index/keywords.py",),
    "sklearn": ("index/scope.py", "index/router.py"),
    "gradio": ("web/",),
    "nh3": ("web/",),
    "sqlalchemy": ("store.py",),
    "typer": ("cli.py", "cli_batch.py", "cli_corpus.py", "cli_eval.py", "cli_feedback.py"),
    "rich": ("cli.py", "cli_batch.py", "cli_corpus.py", "cli_eval.py", "cli_feedback.py", "terminal.py", "terminal_library.py", "web/"),
    "yaml": ("knowledge/cards.py",),
    "openpyxl": ("batch/tables.py",),
    "xlsxwriter": ("batch/workbook.py",),
}
FILES = sorted(ROOT.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions; imports for type checking do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def stage(module: str) -> int:
    name = module.split(".")[1] if "." in module else "__init__"
    return next((n for n, names in enumerate(STAGES) if name in names), -1)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_stage_imports_only_earlier_stages(path: Path) -> None:
    relative = path.relative_to(ROOT)
    own = stage(".".join(("advisor", *relative.with_suffix("").parts)))
    if relative.name == "__init__.py" and len(relative.parts) == 1:
        return
    late = {m for m in imports(path) if m.startswith("advisor.") and stage(m) > own}
    # Answer.markdown is the one backward step: a convenience of the public API that imports the renderer when called.
    assert late <= ({"advisor.render"} if relative == Path("models/answer.py") else set())


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_stays_in_its_file(framework: str) -> None:
    users = [str(p.relative_to(ROOT)) for p in FILES if any(m.split(".")[0] == framework for m in imports(p))]
    assert all(user.startswith(FRAMEWORKS[framework]) for user in users), users


def test_answering_cannot_start_a_program_or_fetch_anything() -> None:
    for path in [*(ROOT / "answer").glob("*.py"), ROOT / "retrieve.py", ROOT / "engine.py"]:
        assert not {m.split(".")[0] for m in imports(path)} & {"subprocess", "socket", "urllib", "httpx", "requests", "pickle"}


def test_importing_the_package_stays_light() -> None:
    heavy = ("torch", "chromadb", "gradio", "sentence_transformers", "sqlalchemy", "numpy")
    code = f"import sys, advisor; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_these() -> None:
    assert advisor.__all__ == ["Advisor", "AdvisorError", "Answer"]
    assert all(getattr(advisor, name) for name in advisor.__all__)


def test_telemetry_and_hub_access_are_off() -> None:
    code = "import advisor, os; print(os.environ['ANONYMIZED_TELEMETRY'], os.environ['GRADIO_ANALYTICS_ENABLED'], os.environ['HF_HUB_OFFLINE'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "1"]
