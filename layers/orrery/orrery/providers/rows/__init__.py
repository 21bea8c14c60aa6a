"""What is particular about each provider that speaks OpenAI's chat wire: facts only, each with its source and day.

Only what a provider refuses with an error is dropped; what it merely ignores goes on. Ways to say how much to think
are the exception: a wish that no document of a provider knows is named, not passed on in hope. Copies of documents are
older than the day they were read, and where one is known to be much older, its row says so.
`max_completion_tokens` is renamed wherever a provider documents `max_tokens` alone: some read only that one, and a
limit that is ignored would let an answer grow beyond the credit that was held for it.
"""

from collections.abc import Mapping

from orrery.providers.compatible import Row
from orrery.providers.rows.hosts import HOSTS
from orrery.providers.rows.makers import MAKERS
from orrery.providers.rows.own import OWN
from orrery.providers.rows.vectors import VECTORS

ROWS: Mapping[str, Row] = {row.name: row for row in (*MAKERS, *HOSTS, *OWN, *VECTORS)}
