"""Writes docs/providers.md: what each provider takes, found by asking its own encoder; and what lights each one up.

Usage: `python -m scripts.matrix [--out FILE]`. Nothing in its tables is written by hand, so they cannot drift from
the code; a test holds the committed page against a new one.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from scripts.probes import PNG, PROBES, USER, Probe

from orrery import providers
from orrery.core.dialect import Encoded, Provider
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.directory import ALIASES, entry_of, keys_of, urls_of

PAGE = Path(__file__).parents[1] / "docs" / "providers.md"

MODEL = {
    "anthropic": "claude-opus-4-6",
    "google": "gemini-3-pro-preview",
    "vertex": "gemini-3-pro-preview",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "azure": "gpt-5",
    "cohere": "command-a-03-2025",
    "mistral": "mistral-large-latest",
    "openai": "gpt-5",
}
"""Whom a provider is asked for, where its models differ."""

REGION = {"bedrock": "us-east-1", "vertex": "global"}

NATIVE, TRANSLATED, DROPPED, REFUSED = "=", "~", "–", "✗"
WIDTH = 9
"""Columns of one table."""

HEAD = """# Providers

What each provider takes of a chat completion. These tables are made by `make docs` from the same code that answers
requests: a feature is put into a request, and the provider's encoder is asked what becomes of it.

| | |
|---|---|
| `=` | native: goes on as it came. Whether the model behind it heeds it is the model's matter |
| `~` | translated: goes on in the provider's own words |
| `–` | dropped: left out, and named in `X-Orrery-Dropped-Params`; a 400 with `X-Orrery-Strict: true` |
| `✗` | refused: a 400 that says why, because the answer would be another one |

Images and files by URL are fetched by the gateway where a provider wants their bytes (`~`): only from public addresses,
only so large.
"""


def call(body: Mapping[str, Any], model: str) -> Call:
    """A chat call with `body` over a plain one."""
    return Call(Operation.CHAT, model, {"model": model, "messages": [USER], **body})


def encoded(provider: Provider, body: Mapping[str, Any], model: str) -> Encoded:
    """What goes upstream. Raises `InvalidRequest`."""
    adapter = provider.adapters[Operation.CHAT]
    if adapter.needs_bytes is not None:
        body = _with_bytes(body, adapter.needs_bytes)
    target = Target(provider.name, model, provider.base_url, REGION.get(provider.name, ""))
    return adapter.encode(call(body, model), provider.locate(target) if provider.locate else target)


def _with_bytes(body: Mapping[str, Any], needs: Any) -> Json:
    copy: Json = orjson.loads(orjson.dumps(dict(body)))
    for message in copy.get("messages", ()):
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url" and needs("image_url", part["image_url"]["url"]):
                part["image_url"]["url"] = PNG
    return copy


def verdict(provider: Provider, probe: Probe, model: str) -> str:
    """What becomes of a feature. Raises `AssertionError` for one that vanishes without a word."""
    try:
        found = encoded(provider, probe.body, model)
    except InvalidRequest:
        return REFUSED
    plain = encoded(provider, probe.without, model)
    if set(found.dropped) - set(plain.dropped) or (found.dropped and found.body == plain.body):
        return DROPPED
    asked = {"messages": [USER], **probe.body}
    assert isinstance(found.body, dict)
    if all(found.body.get(name) == value for name, value in asked.items()):
        return NATIVE
    assert found.body != plain.body, f"{provider.name}: '{probe.feature}' vanishes without a word"
    return TRANSLATED


def matrix(names: list[str]) -> Iterator[str]:
    """A table of every feature for some providers."""
    found = {name: providers.get(name) for name in names}
    yield f"| | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for part, probes in PROBES.items():
        yield f"| **{part}** |{' |' * len(names)}"
        for probe in probes:
            marks = [verdict(p, probe, MODEL.get(n, "some-model")) for n, p in found.items() if p is not None]
            yield f"| {probe.feature} | {' | '.join(marks)} |"


def variables(names: Iterable[str]) -> Iterator[str]:
    """What each provider is lit up by."""
    yield "| provider | key | address and more | also called |"
    yield "|---|---|---|---|"
    for name in names:
        entry = entry_of(name)
        more = [*urls_of(name), *(v for vs in entry.fills.values() for v in vs), *entry.region]
        more += [v for v in entry.lights if v not in more]
        also = sorted(alias for alias, meant in ALIASES.items() if meant == name)
        keys = keys_of(name)
        yield f"| {name} | {_code(keys)} | {_code(dict.fromkeys(more))} | {_code(also)} |"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _chats(name: str) -> bool:
    found = providers.get(name)
    return found is not None and Operation.CHAT in found.adapters


def page() -> str:
    """The whole document."""
    chatting = [name for name in providers.names() if _chats(name)]
    rows = sorted(name for name in chatting if name not in providers.DIALECTS and name != "sandbox")
    own = sorted(name for name in providers.DIALECTS if name in chatting)
    lines = [HEAD, "## Dialects of their own", ""]
    lines += [f"Asked for {', '.join(f'`{name}/{MODEL[name]}`' for name in own)}.", "", *matrix(own), ""]
    lines += ["## OpenAI's wire, with differences", ""]
    for start in range(0, len(rows), WIDTH):
        lines += [*matrix(rows[start : start + WIDTH]), ""]
    lines += [VARIABLES, *variables(sorted(name for name in providers.names() if name != "sandbox")), "", SOURCES]
    return "\n".join(lines)


VARIABLES = """## What lights them up

Set one of these in the environment of `make run`, or as a name in the provider secret of a stack. One variable is
enough for each: where a provider's address is your own, it may carry the key as its password
(`DATABRICKS_BASE_URL=https://:KEY@adb-1.azuredatabricks.net/serving-endpoints`).
`VERTEX_CREDENTIALS` is a service account's JSON or the name of its file. Bedrock needs no key: with `BEDROCK_REGION`
alone, calls are signed with the AWS credentials of the gateway itself (on Lambda, its role), or with
`BEDROCK_ACCESS_KEY_ID`, `BEDROCK_SECRET_ACCESS_KEY` and `BEDROCK_SESSION_TOKEN`. Azure takes a key, or an Entra
application (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`).
"""

SOURCES = """Where each fact is from, and when it was read, stands beside it in `layers/orrery/orrery/providers/`.
"""


def main() -> None:
    """Writes the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=PAGE)
    options.parse_args().out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
