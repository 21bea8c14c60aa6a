"""How tools get out of this process, and work gets into another one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orrery.core.credentials import AwsCredentials
from orrery.edge.aws import CredentialsSource
from orrery.edge.http_pool import Pool
from orrery.edge.settings import Settings

if TYPE_CHECKING:
    from orrery.core import keeping
    from orrery.core.ports import Fetch, Transport
    from orrery.core.registries import Vault
    from orrery.tools.outfit import Interpreter


@dataclass(frozen=True, slots=True)
class Reach:
    """`outside` and `fetch` are those of `core.ports`; `variables` are the operator's; `queue` and `interpreter` make
    what is meant here, `interpreter` None where there is no place for it. `vault` seals what organizations keep secret.
    """

    outside: "Transport"
    fetch: "Fetch"
    variables: Callable[[], Awaitable[Mapping[str, str]]]
    queue: "Callable[[], keeping.Queue]"
    interpreter: "Callable[[], Interpreter | None]"
    vault: "Vault"


def no_queue() -> "keeping.Queue":
    """For a gateway that answers each request at once, or not at all."""
    from orrery.edge.queue_sqs import NoQueue

    return NoQueue()


def no_interpreter() -> "Interpreter | None":
    """For a gateway that runs nobody's code."""
    return None


def lambda_interpreter(
    settings: Settings, pool: Pool, credentials: AwsCredentials | CredentialsSource
) -> "Interpreter | None":
    """The function that runs callers' code, where the stack has one."""
    if not settings.interpreter:
        return None
    from orrery.edge.interpreting_lambda import LambdaInterpreter

    return LambdaInterpreter(pool, function=settings.interpreter, region=settings.region, credentials=credentials)
