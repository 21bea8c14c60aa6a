"""`orrery keys`: make, list, limit and revoke API keys."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from orrery.edge.cli.command import Answer, Organization, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.place import Refused
from orrery.edge.cli.text import columns, instant
from orrery.edge.founding import USER, WORKFLOW
from orrery.stores import tokens
from orrery.stores.key_rows import KeyRow

DAY_S = 86_400
LONGEST_NUMBER = 15

app = typer.Typer(help="API keys.", no_args_is_help=True)

Workflow = Annotated[str, typer.Option(help="The workflow that requests with this key belong to.")]
User = Annotated[str, typer.Option(help="The user that requests with this key belong to.")]
Key = Annotated[str, typer.Argument(help="The key's id, as `list` shows it, or the whole key.")]
Name = Annotated[str, typer.Option(help="What the key is for, in your words.")]


@command(app, "create")
async def create(
    desk: Desk,
    *,
    organization: Organization = None,
    workflow: Workflow = WORKFLOW,
    user: User = USER,
    name: Name = "",
    scope: Annotated[list[str] | None, typer.Option(help="What the key may do; may be repeated.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="The key ends after so many days. Without it, never.")] = None,
    rpm: Annotated[int | None, typer.Option(min=1, help="Requests a minute. Without it, as many as come.")] = None,
    tpm: Annotated[int | None, typer.Option(min=1, help="Tokens a minute. Without it, as many as come.")] = None,
) -> Answer:
    """Make a key. It is shown once: only a hash of it is kept."""
    chosen = desk.organization(organization)
    await desk.ledger.balance(chosen)  # raises when there is no such organization
    token, row = await (await desk.key_maker()).create(
        organization=chosen,
        workflow=workflow,
        user=user,
        name=name,
        scopes=scope or (),
        expires_at=int(time.time()) + days * DAY_S if days else None,
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
    )
    return Answer({"api_key": token, **document(row)}, f"{token}\nThis is the only time that it is shown.")


@command(app, "list")
async def list_all(desk: Desk, organization: Organization = None) -> Answer:
    """The keys of an organization, revoked ones too, the oldest first."""
    rows = await desk.keys().list(desk.organization(organization))
    return Answer([document(row) for row in rows], table(rows) if rows else "no keys")


@command(app, "limit")
async def limit(
    desk: Desk,
    key: Key,
    organization: Organization = None,
    *,
    rpm: Annotated[str | None, typer.Option(help="Requests a minute; 'none': as many as come.")] = None,
    tpm: Annotated[str | None, typer.Option(help="Tokens a minute; 'none': as many as come.")] = None,
) -> Answer:
    """Change a key's limits, from the next request on. What is not named stays as it is."""
    key_id, chosen, keys = _id_of(key), desk.organization(organization), desk.keys()
    was = await keys.read(key_id, organization=chosen)
    row = await keys.limit(
        key_id,
        organization=chosen,
        requests_per_minute=_limit(rpm, was.requests_per_minute),
        tokens_per_minute=_limit(tpm, was.tokens_per_minute),
    )
    return Answer(document(row), table([row]))


@command(app, "revoke")
async def revoke(
    desk: Desk,
    key: Key,
    organization: Organization = None,
) -> Answer:
    """End a key for good: the next request with it is refused."""
    key_id = _id_of(key)
    await desk.keys().revoke(key_id, organization=organization)
    return Answer({"key_id": key_id, "status": "revoked"}, f"{key_id} is revoked")


def _id_of(key: str) -> str:
    return tokens.key_id(key) if tokens.looks_like_a_key(key) else key


def _limit(text: str | None, was: int | None) -> int | None:
    """What is asked for, or what was. Raises `Refused` for what is no number."""
    if text is None or text == "none":
        return was if text is None else None
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise Refused(f"a limit is a whole number or 'none', not {text[:20]!r}")
    return int(text)


def table(rows: Sequence[KeyRow]) -> str:
    """Keys for people."""
    head = ("KEY", "STATUS", "NAME", "WORKFLOW", "USER", "MADE", "ENDS", "RPM", "TPM")
    lines = [
        (
            row.key_id,
            row.status,
            row.name,
            row.workflow,
            row.user,
            instant(row.created_at),
            instant(row.expires_at),
            *("-" if each is None else str(each) for each in (row.requests_per_minute, row.tokens_per_minute)),
        )
        for row in rows
    ]
    return columns(head, lines, right=frozenset({"RPM", "TPM"}))


def document(row: KeyRow) -> dict[str, Any]:
    """A key for programs."""
    return asdict(row)
