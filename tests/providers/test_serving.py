"""What a provider serves can be asked without making, or importing, what serves it."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import orrery
from orrery import providers
from orrery.catalog import models
from orrery.core.types import Operation, Target
from orrery.providers.serving import adapter_for, serves

KNOWN = ((), (Operation.CHAT,), (Operation.COMPLETIONS,), (Operation.EMBEDDINGS,), (Operation.RESPONSES,))


@pytest.mark.parametrize("name", models.PREFERENCE)
def test_what_serves_says_is_what_there_is_an_adapter_for(name: str) -> None:
    provider = providers.get(name)
    assert provider is not None
    for operation, known in product(Operation, KNOWN):
        there = adapter_for(provider, operation, Target(name, "m", "", operations=known))
        assert serves(provider, operation, known) is (there is not None), (operation, known)


def test_asking_imports_no_adapter() -> None:
    asked = (
        "import sys; from orrery import providers; from orrery.core.types import Operation;"
        "from orrery.providers.serving import serves; provider = providers.get('openai'); before = set(sys.modules);"
        "print([serves(provider, operation, (operation,)) for operation in Operation], set(sys.modules) - before)"
    )
    folder = Path(orrery.__file__).parent.parent
    shown = subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "True" in shown and shown.rstrip().endswith("set()")
