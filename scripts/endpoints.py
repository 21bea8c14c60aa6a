"""Writes docs/endpoints.md: which endpoint each provider serves, and how, found by asking the code.

Usage: `python -m scripts.endpoints [--out FILE]`. A test holds the committed page against a new one.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from orrery import providers
from orrery.catalog import models
from orrery.core.dialect import Adapter, Provider
from orrery.core.types import Model, Operation, Target
from orrery.edge import account_routes, activity_routes, prompt_routes
from orrery.edge.families import ACCOUNT, GETS, MOUNTS, READERS
from orrery.providers.serving import adapter_for, serves

PAGE = Path(__file__).parents[1] / "docs" / "endpoints.md"

COLUMNS = {
    Operation.CHAT: "chat",
    Operation.RESPONSES: "responses",
    Operation.COMPLETIONS: "completions",
    Operation.EMBEDDINGS: "embeddings",
    Operation.RERANK: "rerank",
    Operation.MODERATIONS: "moderations",
    Operation.OCR: "ocr",
    Operation.IMAGES: "images",
    Operation.IMAGE_EDITS: "edits",
    Operation.IMAGE_VARIATIONS: "variations",
    Operation.VIDEOS: "videos",
    Operation.SPEECH: "speech",
    Operation.TRANSCRIPTIONS: "transcriptions",
    Operation.TRANSLATIONS: "translations",
}

SAME, TRANSLATED, OVER_CHAT, NONE = "=", "~", "c", ""

HEAD = """# Endpoints

Which endpoint each provider serves. `make docs` makes this page from the code that answers requests.

Every path is there under each of {mounts}. Requests and answers are those of OpenAI's API reference; what a provider
cannot take is named in `X-Orrery-Dropped-Params`, or a 400 with `X-Orrery-Strict: true`.

| | |
|---|---|
| `=` | OpenAI's wire: the request goes on as it came, but for what the provider refuses |
| `~` | translated into the provider's own words |
| `c` | served over the provider's chat completions; what cannot be kept is a 400 |
| `s` | answers can be streamed |
| a number | so many of its models have a price here; without one, a call on pooled credit is refused |

"""


def page() -> str:
    """The whole page."""
    mounts = ", ".join(f"`{mount}`" for mount in MOUNTS)
    return HEAD.format(mounts=mounts) + "\n".join([*_functions(), "", *_matrix()]) + "\n"


def _functions() -> Iterator[str]:
    yield "| function | paths |"
    yield "|---|---|"
    for name, paths in READERS.items():
        found = [("POST", path) for path in paths] + [("GET", path) for path in GETS.get(name, ())]
        yield f"| {name} | {_listed(found)} |"
    yield f"| models | {_listed([('GET', '/models'), ('GET', '/models/{id}')])} |"
    account = [(method, ACCOUNT + path) for method, path, _ in account_routes.ROUTES]
    others = [(method, path) for method, path, _ in (*prompt_routes.ROUTES, *activity_routes.ROUTES)]
    yield f"| manage | `POST /uploads/presign`; as they stand: {_listed([*account, *others])} |"


def _listed(routes: Iterable[tuple[str, str]]) -> str:
    """Paths with their methods together, in the order in which they came."""
    methods: dict[str, list[str]] = {}
    for method, path in routes:
        methods.setdefault(path.replace(":path", ""), []).append(method)
    return ", ".join(f"`{' '.join(each)} {path}`" for path, each in methods.items())


def _matrix() -> Iterator[str]:
    yield "| provider | " + " | ".join(COLUMNS.values()) + " |"
    yield "|---|" + "---|" * len(COLUMNS)
    for name in sorted(providers.names()):
        provider = providers.get(name)
        assert provider is not None
        yield f"| {name} | " + " | ".join(_cell(provider, operation) for operation in COLUMNS) + " |"


def _cell(provider: Provider, operation: Operation) -> str:
    adapter = adapter_for(provider, operation, Target(provider.name, "m", provider.base_url))
    if adapter is None:
        return NONE
    priced = [row for row in models.listed([provider.name]) if _is_for(row, operation, provider) and row.price]
    streams = "s" if adapter.decoder is not None else ""
    return " ".join(filter(None, [_kind(adapter), streams, str(len(priced) or "")]))


def _is_for(row: Model, operation: Operation, provider: Provider) -> bool:
    """Of most models that respond, catalogs say that they chat."""
    if operation is Operation.RESPONSES:
        return serves(provider, operation, row.operations)
    return operation in row.operations


def _kind(adapter: Adapter) -> str:
    where = _modules(adapter)
    if any(".bridge." in module for module in where):
        return OVER_CHAT
    return SAME if any(".compatible" in module for module in where) else TRANSLATED


def _modules(adapter: Adapter) -> Iterable[str]:
    return (adapter.encode.__module__ or "", adapter.decode.__module__ or "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.parse_args().out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
