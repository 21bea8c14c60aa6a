"""The first start: a table, an organization, a workflow, a key with credit; and where the key is written down."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from orrery.core.errors import AwsFault, Unauthenticated
from orrery.core.ports import AwsCall
from orrery.edge.settings import Settings
from orrery.stores.definition import DEFINITION, TIME_TO_LIVE
from orrery.stores.key_rows import ACTIVITY, AGENTS, PROMPTS, PROVIDERS
from orrery.stores.keys import KeyStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table

ORGANIZATION, WORKFLOW, USER = "local", "default", "local"
FIRST_CREDIT = "first-credit"
"""The event of an organization's first grant, whoever makes it: it is made once."""

FIRST_CREDIT_NANO = 10 * 10**9
"""USD 10 to begin with. It limits what this gateway spends of your own provider accounts; it buys nothing."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a client needs; `.orrery/connection.json` holds it, readable by its owner only."""

    base_url: str
    api_key: str


async def connect(call: AwsCall, settings: Settings, keys: KeyStore, base_url: str) -> Connection:
    """The connection of this state folder: the one that is written down, while its key is good, else a new one.

    Raises `Unavailable`, `AwsFault`.
    """
    path = settings.state / "connection.json"
    await ensure_table(call, settings.table)
    api_key = await _live(_written_key(path), keys) or await _new_key(DynamoLedger(Table(call, settings.table)), keys)
    connection = Connection(base_url, api_key)
    write_down(path, connection)
    return connection


def _written_key(path: Path) -> str | None:
    try:
        return str(orjson.loads(path.read_bytes())["api_key"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


async def _live(token: str | None, keys: KeyStore) -> str | None:
    """The token, if it is a key's that is still good. Raises `Unavailable`."""
    try:
        if token is not None:
            await keys.find(token)
    except Unauthenticated:
        return None
    return token


async def _new_key(ledger: DynamoLedger, keys: KeyStore) -> str:
    """A key with credit. The credit is granted once, however often the key is lost."""
    await ledger.create_organization("Local", ORGANIZATION)
    await ledger.grant(ORGANIZATION, FIRST_CREDIT_NANO, FIRST_CREDIT, "first start")
    scopes = [ACTIVITY, AGENTS, PROMPTS, PROVIDERS]
    token, _ = await keys.create(
        organization=ORGANIZATION, workflow=WORKFLOW, user=USER, name="first start", scopes=scopes
    )
    return token


async def ensure_table(call: AwsCall, name: str) -> None:
    """Makes the table where there is none; on AWS the template does that. Raises `AwsFault`."""
    try:
        await call("DescribeTable", {"TableName": name})
    except AwsFault as fault:
        if fault.kind != "ResourceNotFoundException":
            raise
        await call("CreateTable", {**DEFINITION, "TableName": name})
        await call("UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": TIME_TO_LIVE})


def write_down(path: Path, connection: Connection) -> None:
    """Readable by its owner only, from its first byte on; whole at every moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123  # a descriptor
        out.write(orjson.dumps(asdict(connection), option=orjson.OPT_INDENT_2) + b"\n")
    fresh.replace(path)
