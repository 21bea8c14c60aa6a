"""What an organization stored and decided: one item, an attribute for each provider, each budget and each choice.

| PK                 | SK  | attribute    | what it is                                                            |
| OWN#<organization> | OWN | at:<name>    | {v, c, on, url, hint, made, set}: version, ciphertext, enabled, …     |
|                    |     | fallback     | whether pooled credit may serve what fails with a key of its own      |
|                    |     | b:<id>       | {scope, target, period, cost, tokens}: a budget (`core.limits`)       |
|                    |     | transcripts  | whether what is said in its threads is kept with them                 |

One item, so that a request reads them all at once. The ciphertext is bound to the organization, the provider and the
version (`edge.vault`), and holds the address, too: `url` is for showing only.
"""

from collections.abc import Mapping
from typing import Any

from orrery.core.credentials import OrganizationSettings, OwnKey
from orrery.core.limits import Budget
from orrery.core.types import Json
from orrery.stores.definition import organization_id

PARTITION = "OWN#"
SORT = "OWN"
AT = "at:"
FALLBACK = "fallback"
BUDGET = "b:"
TRANSCRIPTS = "transcripts"


def key_of(organization: str) -> Json:
    """The primary key of an organization's item."""
    return {"PK": {"S": PARTITION + organization_id(organization)}, "SK": {"S": SORT}}


def entry_of(key: OwnKey) -> Json:
    """What is stored of one credential."""
    return {
        "v": key.version,
        "c": key.sealed,
        "on": key.enabled,
        "url": key.base_url,
        "hint": key.hint,
        "made": key.created_at,
        "set": key.updated_at,
    }


def own_key(organization: str, provider: str, entry: Mapping[str, Any]) -> OwnKey:
    """What an entry says."""
    return OwnKey(
        organization=organization,
        provider=provider,
        version=entry["v"],
        sealed=entry["c"],
        enabled=entry["on"],
        base_url=entry["url"],
        hint=entry["hint"],
        created_at=entry["made"],
        updated_at=entry["set"],
    )


def budget_entry(budget: Budget) -> Json:
    """What is stored of one budget."""
    return {
        "scope": budget.scope,
        "target": budget.target,
        "period": budget.period,
        "cost": budget.cost_nano,
        "tokens": budget.tokens,
    }


def budget_of(entry: Mapping[str, Any]) -> Budget:
    """What an entry says."""
    return Budget(entry["scope"], entry["target"], entry["period"], entry["cost"], entry["tokens"])


def own_keys(organization: str, item: Mapping[str, Any] | None) -> OrganizationSettings:
    """What an item says; nothing is stored where there is none."""
    if item is None:
        return OrganizationSettings()
    entries = {name.removeprefix(AT): entry for name, entry in item.items() if name.startswith(AT)}
    keys = {name: own_key(organization, name, entry) for name, entry in sorted(entries.items())}
    budgets = tuple(budget_of(entry) for name, entry in sorted(item.items()) if name.startswith(BUDGET))
    return OrganizationSettings(keys, bool(item.get(FALLBACK, False)), budgets, bool(item.get(TRANSCRIPTS, False)))
