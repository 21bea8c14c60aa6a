"""`orrery prompts`: an organization's stored prompts, and prompts as files in a folder that git keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orrery.core.errors import Conflict, NotFound
from orrery.core.pages import Page
from orrery.core.prompts import PromptChange, PromptDraft, StoredPrompt
from orrery.core.types import Json
from orrery.edge.cli.command import Answer, Organization, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.place import Refused
from orrery.edge.cli.prompt_files import read_folder, write_file
from orrery.edge.cli.text import columns, instant
from orrery.edge.prompt_shown import shown
from orrery.stores.prompts import PromptStore

PAGE = 100

app = typer.Typer(help="Stored prompts, and prompts as files in a folder.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The prompt's id, or its key.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@command(app, "list")
async def list_all(desk: Desk, organization: Organization = None) -> Answer:
    """The prompts of an organization, the newest first."""
    chosen = desk.organization(organization)
    prompts = await _all(desk.prompts(), chosen)
    return Answer([shown(chosen, prompt) for prompt in prompts], table(prompts) if prompts else "no prompts")


@command(app, "show")
async def show(
    desk: Desk,
    prompt: Id,
    organization: Organization = None,
    *,
    version: Annotated[int | None, typer.Option(min=1, help="This version. [default: the published one]")] = None,
) -> Answer:
    """One version of a prompt."""
    chosen, store = desk.organization(organization), desk.prompts()
    found = await (store.read(chosen, prompt) if version is None else store.version(chosen, prompt, version))
    document = orjson.dumps(found.version.document, option=orjson.OPT_INDENT_2).decode()
    return Answer(shown(chosen, found), f"{table([found])}\nversion {found.version.number}:\n{document}")


@command(app, "publish")
async def publish(
    desk: Desk,
    prompt: Id,
    version: Annotated[int, typer.Argument(min=1, help="Its number; an older one takes newer ones back.")],
    organization: Organization = None,
) -> Answer:
    """Make a version the one that requests get. Counts everywhere within a minute."""
    chosen = desk.organization(organization)
    found = await desk.prompts().publish(chosen, prompt, version)
    return Answer(shown(chosen, found), table([found]))


@command(app, "remove")
async def remove(desk: Desk, prompt: Id, organization: Organization = None) -> Answer:
    """Delete a prompt with all of its versions, for good. Counts everywhere within a minute."""
    await desk.prompts().remove(desk.organization(organization), prompt)
    return Answer({"id": prompt, "deleted": True}, f"the prompt {prompt} is deleted")


@command(app, "push")
async def push(
    desk: Desk,
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="<key>.yaml, <key>.yml, <key>.json …")],
    organization: Organization = None,
    *,
    dry_run: DryRun = False,
) -> Answer:
    """Make the prompts of a folder what its files say. What has not changed makes no version; nothing is deleted.

    Nothing is pushed unless every file can be.
    """
    files = read_folder(folder)
    if not files:
        raise Refused(f"there is no prompt in {folder}: files are called <key>.yaml, <key>.yml or <key>.json")
    chosen, store = desk.organization(organization), desk.prompts()
    await desk.ledger.balance(chosen)  # raises when there is no such organization
    done = [await _pushed(store, chosen, file.draft, dry_run=dry_run) for file in files]
    return Answer(done, _told(done, dry_run=dry_run))


@command(app, "pull")
async def pull(
    desk: Desk,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Made where there is none.")],
    organization: Organization = None,
    *,
    dry_run: DryRun = False,
) -> Answer:
    """Write the published version of every prompt to a file of a folder. Other files there stay as they are."""
    prompts = await _all(desk.prompts(), desk.organization(organization))
    names = {prompt.id.casefold() for prompt in prompts}
    if len(names) < len(prompts):
        raise Refused("two prompts differ by capital letters only: as files they would be one")
    done: list[Json] = []
    for prompt in sorted(prompts, key=lambda each: each.id):
        path, written = write_file(folder, prompt, dry_run=dry_run)
        did = "written" if written else "unchanged"
        done.append({"key": prompt.id, "did": did, "version": prompt.version.number, "file": str(path)})
    return Answer(done, _told(done, dry_run=dry_run) if done else "no prompts")


async def _pushed(store: PromptStore, organization: str, draft: PromptDraft, *, dry_run: bool) -> Json:
    facts = {name: getattr(draft.facts, name) for name in ("display_name", "description", "metadata", "path")}
    change = PromptChange(facts, draft.document, draft.publish)
    try:
        before = await store.read(organization, draft.key)
    except NotFound:
        if dry_run:
            return {"key": draft.key, "did": "created", "version": 1}
        try:
            made = await store.create(organization, draft)
            return {"key": draft.key, "did": "created", "version": made.version.number}
        except Conflict:
            before = await store.read(organization, draft.key)  # somebody else pushed it just now
    after = await (store.preview if dry_run else store.change)(organization, draft.key, change)
    return {"key": draft.key, "did": _did(before, after), "version": after.version.number}


def _did(before: StoredPrompt, after: StoredPrompt) -> str:
    if after.newest != before.newest:
        return "changed" if after.published == after.newest else "drafted"
    if after.published != before.published:
        return "published"
    return "unchanged" if after.facts == before.facts else "described"


async def _all(store: PromptStore, organization: str) -> list[StoredPrompt]:
    found: list[StoredPrompt] = []
    while True:
        page = await store.list(organization, Page(PAGE, after=found[-1].id if found else ""))
        found += page.data
        if not page.more or not page.data:
            return found


def _told(done: Sequence[Json], *, dry_run: bool) -> str:
    head = ("PROMPT", "WOULD BE" if dry_run else "DID", "VERSION")
    return columns(head, [(each["key"], each["did"], str(each["version"])) for each in done])


def table(prompts: Sequence[StoredPrompt]) -> str:
    """Prompts for people."""
    head = ("PROMPT", "NAME", "PUBLISHED", "NEWEST", "MODEL", "CHANGED")
    lines = [
        (
            p.id,
            p.facts.display_name,
            str(p.published or "-"),
            str(p.newest),
            str(p.version.document.get("model") or "-"),
            instant(p.updated_at),
        )
        for p in prompts
    ]
    return columns(head, lines)
