"""The rest of a deletion: a prompt's versions, then what was left of its head."""

import asyncio
from collections.abc import Mapping
from itertools import batched
from typing import Any

from orrery.core.types import Json
from orrery.stores.prompt_rows import VERSION, key_of, partition
from orrery.stores.table import ConditionFailed, Table

VERSIONS = "PK = :p AND begins_with(SK, :v)"
THAT_PROMPTS = "made = :m"
AS_SEEN = "rev = :seen"
AT_ONCE = 25


async def sweep(table: Table, organization: str, prompt: str, left: Mapping[str, Any]) -> None:
    """Deletes the versions of the prompt that `left` (`made`, `rev`) remains of. Harmless when repeated, or late.

    Its head goes last: as long as there is one, another deletion or a new prompt of this id finishes this first.
    Raises `Unavailable`.
    """
    body: Json = {
        "KeyConditionExpression": VERSIONS,
        "ProjectionExpression": "SK",
        "ExpressionAttributeValues": {":p": {"S": partition(organization, prompt)}, ":v": {"S": VERSION}},
        "ConsistentRead": True,
    }
    found = [item["SK"] async for item in table.query(body)]
    values = {":m": {"S": left["made"]}}
    for sorts in batched(found, AT_ONCE, strict=False):
        await asyncio.gather(
            *(_delete(table, key_of(organization, prompt, sort), THAT_PROMPTS, values) for sort in sorts)
        )
    await _delete(table, key_of(organization, prompt), AS_SEEN, {":seen": {"S": left["rev"]}})


async def _delete(table: Table, key: Json, condition: str, values: Json) -> None:
    body: Json = {"Key": key, "ConditionExpression": condition, "ExpressionAttributeValues": values}
    try:
        await table.run("DeleteItem", body)
    except ConditionFailed:
        return  # gone already, or another prompt's
