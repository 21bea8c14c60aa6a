"""`orrery agents`: an organization's agents, and agents as files in a folder that git keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orrery.core.agents import StoredDocument
from orrery.core.errors import Conflict, NotFound
from orrery.core.pages import Page
from orrery.core.types import Json
from orrery.edge.agent_shown import shown
from orrery.edge.cli.agent_files import AgentFile, read_folder
from orrery.edge.cli.command import Answer, Organization, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.place import Refused
from orrery.edge.cli.text import columns, instant
from orrery.stores.agents import AgentStore
from orrery.wire.agent_reading import model_of

PAGE = 100

app = typer.Typer(help="Agents, and agents as files in a folder.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="The agent's key.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@command(app, "list")
async def list_all(desk: Desk, organization: Organization = None) -> Answer:
    """The agents of an organization, the newest first."""
    chosen = desk.organization(organization)
    agents = await _all(desk.agents(), chosen)
    return Answer([shown(chosen, agent) for agent in agents], table(agents) if agents else "no agents")


@command(app, "show")
async def show(
    desk: Desk,
    agent: Key,
    organization: Organization = None,
    *,
    version: Annotated[str | None, typer.Option(help="This version. [default: the newest]")] = None,
) -> Answer:
    """One version of an agent, and which versions its environments have."""
    chosen, store = desk.organization(organization), desk.agents()
    found = await store.read(chosen, agent)
    if version is not None:
        old = await store.version(chosen, agent, version)
        found = StoredDocument(agent, agent, old.body, found.created_at, old.created_at, old.version)
    environments = dict(await store.environments(chosen, agent))
    document = orjson.dumps(found.body, option=orjson.OPT_INDENT_2).decode()
    pointed = "".join(f"{name}: {environments[name]}\n" for name in sorted(environments))
    text = f"{table([found])}\n{pointed}version {found.version}:\n{document}"
    return Answer(shown(chosen, found) | {"environments": environments}, text)


@command(app, "remove")
async def remove(desk: Desk, agent: Key, organization: Organization = None) -> Answer:
    """Delete an agent with all of its versions, for good. Counts everywhere within a minute."""
    await desk.agents().remove(desk.organization(organization), agent)
    return Answer({"key": agent, "deleted": True}, f"the agent {agent} is deleted")


@command(app, "push")
async def push(
    desk: Desk,
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="<key>.yaml, <key>.yml, <key>.json, <key>.md …")
    ],
    organization: Organization = None,
    *,
    environment: Annotated[
        str | None, typer.Option(help="Give this environment of each agent the version that was pushed.")
    ] = None,
    dry_run: DryRun = False,
) -> Answer:
    """Make the agents of a folder what its files say. What has not changed makes no version; nothing is deleted.

    Nothing is pushed unless every file can be.
    """
    files = read_folder(folder)
    if not files:
        raise Refused(f"there is no agent in {folder}: files are called <key>.yaml, <key>.yml, <key>.json or <key>.md")
    chosen, store = desk.organization(organization), desk.agents()
    await desk.ledger.balance(chosen)  # raises when there is no such organization
    done: list[Json] = []
    for file in files:
        did = await _pushed(store, chosen, file, dry_run=dry_run)
        if environment and not dry_run:
            await store.point(chosen, file.key, environment, did["version"])
        done.append(did | ({"environment": environment} if environment else {}))
    return Answer(done, _told(done, dry_run=dry_run))


async def _pushed(store: AgentStore, organization: str, file: AgentFile, *, dry_run: bool) -> Json:
    def as_said(document: Json) -> Json:
        return file.document

    try:
        before = await store.read(organization, file.key)
    except NotFound:
        if dry_run:
            return {"key": file.key, "did": "created", "version": "1.0.0"}
        try:
            made = await store.create(organization, file.key, file.document)
            return {"key": file.key, "did": "created", "version": made.version}
        except Conflict:
            before = await store.read(organization, file.key)  # somebody else pushed it just now
    after = await (store.preview if dry_run else store.change)(organization, file.key, as_said)
    did = "unchanged" if after.version == before.version else "changed"
    return {"key": file.key, "did": did, "version": after.version}


async def _all(store: AgentStore, organization: str) -> list[StoredDocument]:
    found: list[StoredDocument] = []
    while True:
        page = await store.list(organization, Page(PAGE, after=found[-1].key if found else ""))
        found += page.data
        if not page.more or not page.data:
            return found


def _told(done: Sequence[Json], *, dry_run: bool) -> str:
    head = ("AGENT", "WOULD BE" if dry_run else "DID", "VERSION")
    return columns(head, [(each["key"], each["did"], each["version"]) for each in done])


def table(agents: Sequence[StoredDocument]) -> str:
    """Agents for people."""
    head = ("AGENT", "VERSION", "MODEL", "ROLE", "CHANGED")
    lines = [
        (each.key, each.version, model_of(each.body)["id"], each.body["role"], instant(int(each.updated_at)))
        for each in agents
    ]
    return columns(head, lines)
