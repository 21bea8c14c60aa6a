"""`orrery providers`: an organization's own keys at providers. They come by standard input or a hidden prompt."""

import sys
from typing import Annotated, Any

import orjson
import typer

from orrery.core.credentials import OwnKey
from orrery.core.types import Json
from orrery.edge.cli.command import Answer, Organization, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.place import Refused
from orrery.edge.cli.text import columns, instant
from orrery.edge.own_keys import change, provider_named, settings_of, shown
from orrery.wire.credentials import ACCESS_KEY

app = typer.Typer(
    help="An organization's own keys at providers: its calls with them cost no credit.", no_args_is_help=True
)

Provider = Annotated[str, typer.Argument(help="openai, anthropic, bedrock, …")]
LONGEST_INPUT = 32 * 1024


@command(app, "list")
async def list_all(desk: Desk, organization: Organization = None) -> Answer:
    """What is stored, and whether pooled credit serves where it fails. Keys themselves are never shown."""
    stored = await desk.own().read(desk.organization(organization))
    keys = list(stored.keys.values())
    text = f"{table(keys) if keys else 'no keys'}\npooled fallback is {'on' if stored.pooled_fallback else 'off'}"
    return Answer({"data": [shown(key) for key in keys], "pooled_fallback": stored.pooled_fallback}, text)


@command(app, "set")
async def set_key(
    desk: Desk,
    provider: Provider,
    organization: Organization = None,
    *,
    base_url: Annotated[
        str | None, typer.Option(help="Where to call instead of the provider's own address; https, public.")
    ] = None,
    aws_region: Annotated[str | None, typer.Option(help="Where to call AWS.", show_default="us-east-1")] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Store it switched off.")] = False,
) -> Answer:
    """Store a key, read from standard input or asked for; in place of what was stored.

    For AWS it is JSON: {"aws_access_key_id": "…", "aws_secret_access_key": "…"}.
    """
    asked = {**credential(_read_secret(provider)), "base_url": base_url, "aws_region_name": aws_region}
    chosen = desk.organization(organization)
    key = await change(desk.own(), chosen, provider_named(provider), {**asked, "enabled": not disabled})
    return Answer(shown(key), table([key]))


@command(app, "remove")
async def remove(desk: Desk, provider: Provider, organization: Organization = None) -> Answer:
    """Forget a key. Gateways that know it stop using it within two minutes."""
    name = provider_named(provider).name
    await desk.own().remove(desk.organization(organization), name)
    return Answer({"provider": name, "deleted": True}, f"the key for {name} is forgotten")


@command(app, "enable")
async def enable(desk: Desk, provider: Provider, organization: Organization = None) -> Answer:
    """Use a stored key again."""
    return await _switched(desk, provider, organization, enabled=True)


@command(app, "disable")
async def disable(desk: Desk, provider: Provider, organization: Organization = None) -> Answer:
    """Keep a key, and do not use it: calls cost credit then. Counts everywhere within two minutes."""
    return await _switched(desk, provider, organization, enabled=False)


@command(app, "fallback")
async def fallback(
    desk: Desk,
    choice: Annotated[
        str, typer.Argument(help="on: pooled credit serves what a key of yours failed at. off: nothing does.")
    ],
    organization: Organization = None,
) -> Answer:
    """Choose whether pooled credit may serve where an own key fails."""
    if choice not in ("on", "off"):
        raise Refused(f"the choice is on or off, not {choice[:20]!r}")
    chosen, own = desk.organization(organization), desk.own()
    await own.allow_fallback(chosen, allowed=choice == "on")
    return Answer(settings_of(await own.read(chosen)), f"pooled fallback is {choice}")


async def _switched(desk: Desk, provider: str, organization: str | None, *, enabled: bool) -> Answer:
    name = provider_named(provider).name
    key = await desk.own().enable(desk.organization(organization), name, enabled=enabled)
    return Answer(shown(key), table([key]))


def _read_secret(provider: str) -> str:
    """Never from the command line, where other users of the machine and the shell's history see it."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"Key for {provider}", hide_input=True, err=True))
    return sys.stdin.read(LONGEST_INPUT)


def credential(text: str) -> Json:
    """The fields that a key stands for: its own, or, as JSON, both halves of an AWS one."""
    text = text.strip()
    if not text:
        raise Refused("there is no key on standard input")
    try:
        held: Any = orjson.loads(text) if text.startswith("{") else None
    except ValueError:
        held = None
    return held if isinstance(held, dict) and ACCESS_KEY in held else {"api_key": text}


def table(keys: list[OwnKey]) -> str:
    """Stored keys for people."""
    head = ("PROVIDER", "STATUS", "KEY", "ADDRESS", "SET")
    lines = [
        (
            k.provider,
            "on" if k.enabled else "off",
            f"…{k.hint}" if k.hint else "-",
            k.base_url or "-",
            instant(k.updated_at),
        )
        for k in keys
    ]
    return columns(head, lines)
