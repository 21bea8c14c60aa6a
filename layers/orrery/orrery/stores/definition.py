"""The table that everything lives in. template.yaml says the same to CloudFormation; a test compares them.

| PK                  | SK        | what it is                                                        |
| ORG#<organization>  | ORG       | an organization: its name                                         |
| ORG#<organization>  | BAL#<n>   | a shard of its balance, with the holds inside                     |
| TX#<org>#<request>  | TX        | what a request cost: the write-ahead record, then the audit row   |
| TOPUP#<org>#<event> | T         | a grant that was made                                             |
| AK#<key id>         | K         | an API key                                                        |
| MODELS              | M#<model> | what the operator says of a model, `provider/name`                |
| BRK#<name>          | BRK       | a breaker: until when a target is spared                          |
| ANS#<org>#<name>    | ANS       | a recorded answer, or where it lies                               |
| IDEM#<org>#<digest> | IDEM      | an idempotency key: who is at it, or its answer                   |
| OWN#<organization>  | OWN       | its own credentials at providers, encrypted; budgets; choices     |
| BUD#<org>#<scope>#… | <period>  | what was used of a budget by one target, with the holds inside    |
| PROMPT#<org>#<id>   | HEAD      | a stored prompt: its name, its published and its newest version   |
| PROMPT#<org>#<id>   | V#<n>     | a version of it, which never changes                              |
| AGENT#<org>#<key>   | HEAD      | an agent: its newest version, which version environments have     |
| AGENT#<org>#<key>   | V#<n>.…   | a version of it, which never changes                              |
| TOOL#<org>#<key>    | HEAD      | a stored tool; what is secret in it is encrypted beside it        |
| MEMORYSTORE#<org>#… | HEAD      | a memory store                                                    |
| MEMORY#<org>#<made> | E#<id>    | an entity that a store, `made` as that, remembers                 |
| MEMORY#<org>#<made> | D#<id>    | a document about an entity, `made` as that, with its vector       |
| RUN#<org>#<digest>  | HEAD      | a run and its sums; the same for SESSION#, THREAD# and IDENTITY#  |
| RUN#<org>#<digest>  | S#<ms>#…  | a step of it; the same for SESSION# and THREAD#                   |
| RESP#<org>#<tree>   | R#<pos>#… | a stored response, or items of a conversation                     |
| RESP#<org>#<tree>   | C         | a conversation: its metadata                                      |
| RESPEV#<org>#<id>   | <number>… | some events of a response, from the one of this number on         |

The organization stands in every partition key but the API key's, whose row names it: no id of one reaches another's.
Models are the operator's, the same for all organizations, and so are the breakers of its own keys at providers.
Only balances, keys and the heads of what is listed carry `GPK` and `GSK`, which never change: counting and moving money
do not write the index.
"""

import re

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json

INDEX = "listing"
BALANCES = "BALANCES"  # GPK of every balance shard; GSK: its organization and number
KEYS = "KEYS#"  # and the organization: GPK of its API keys; GSK: when each was made
PROMPTS = "PROMPTS#"  # and the organization: GPK of its prompts; GSK: when each was made, and its id
AGENTS, TOOLS, MEMORY_STORES = "AGENTS#", "TOOLS#", "MEMORYSTORES#"  # likewise
TRACKED = {"run": "RUNS#", "session": "SESSIONS#", "thread": "THREADS#", "identity": "IDENTITIES#"}  # likewise

DEFINITION: Json = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "GPK", "GSK")],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": INDEX,
            "KeySchema": [{"AttributeName": "GPK", "KeyType": "HASH"}, {"AttributeName": "GSK", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
"""CreateTable's payload, but for `TableName`."""

TIME_TO_LIVE: Json = {"AttributeName": "ttl", "Enabled": True}
"""UpdateTimeToLive's `TimeToLiveSpecification`. Expired items stay readable for days."""

_ORGANIZATION = re.compile(r"[0-9A-Za-z_-]{1,64}")


def organization_id(text: str) -> str:
    """The same text. Raises `InvalidRequest` when it could not stand inside a partition key."""
    if not _ORGANIZATION.fullmatch(text):
        raise InvalidRequest(
            f"an organization's id has 1 to 64 of the characters 0-9 A-Z a-z _ -, not {text[:80]!r}",
            param="organization",
        )
    return text
