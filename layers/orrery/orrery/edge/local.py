"""`make run`: every family on one port of this machine, DynamoDB and the sandbox included."""

import asyncio
import errno
import socket
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import uvicorn

from orrery.core.errors import AwsFault, GatewayError
from orrery.core.keeping import Queue
from orrery.edge import wiring
from orrery.edge.blobs_local import RESPONSES_KEPT_S, LocalBlobs
from orrery.edge.embedded.folder import StateFolder, StateUnusable
from orrery.edge.embedded.opening import OpenTable, open_remote, open_state
from orrery.edge.founding import Connection, connect
from orrery.edge.http_pool import Pool
from orrery.edge.http_tls import lazy_tls
from orrery.edge.peppers import ReadPeppers, parse_peppers
from orrery.edge.routes import Mounted, read_routes
from orrery.edge.sandbox import app as sandbox
from orrery.edge.settings import Misconfigured, Settings, from_environment
from orrery.edge.uploads_local import PLACE, LocalUploads
from orrery.edge.vault import LocalVault
from orrery.flow.settle import all_settled
from orrery.stores.keys import KeyStore
from orrery.stores.table import Table
from orrery.tools.outfit import Interpreter

HOST = "127.0.0.1"
SANDBOX = "/sandbox"
FAREWELL_S = 5


def main() -> None:
    """Serves until Ctrl-C. What a person can mend is said in one line, never as a traceback."""
    try:
        settings = from_environment()
        template = find_template()
        with listen(settings.port) as listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings, template, listener))
    except KeyboardInterrupt:
        return
    except (Misconfigured, StateUnusable, AwsFault, GatewayError, FileNotFoundError, OSError) as err:
        sys.stderr.write(f"orrery: {err}\n")
        sys.exit(1)


async def run(settings: Settings, template: Path, listener: socket.socket) -> None:
    """Opens the table, makes the first key if there is none, serves, and closes the books."""
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    async with _table(settings) as opened:
        pool = Pool(tls=lazy_tls(settings.ca_file))
        table = Table(opened.call, settings.table)
        peppers = parse_peppers(settings.pepper or StateFolder(settings.state).secrets().key_pepper)
        keys = KeyStore(table, peppers)
        connection = await connect(opened.call, settings, keys, f"{url}/v1")
        accounts = wiring.operator_accounts(settings, pool, sandbox_url=f"{url}{SANDBOX}/v1")
        uploads = LocalUploads(settings.state / "uploads", url, most_bytes=settings.max_upload_bytes)
        gateway = wiring.join(
            settings,
            pool,
            keys=keys,
            table=table,
            accounts=accounts,
            uploads=uploads,
            peppers=_given(peppers),
            vault=LocalVault(StateFolder(settings.state).credential_key),
            blobs=partial(LocalBlobs, settings.state / "blobs"),
            kept_blobs=partial(LocalBlobs, settings.state / "responses", kept_s=RESPONSES_KEPT_S),
            interpreter=_interpreter,
            queue=_queue,
        )
        wiring.install(gateway)
        app = Mounted(read_routes(template), {SANDBOX: sandbox, PLACE: uploads})
        providers = [account.provider.name for account in await accounts.usable()]
        server = _Server(_config(app))
        sys.stdout.write(greeting(connection, providers, opened.place))
        sys.stdout.flush()
        await server.serve(sockets=[listener])
        await wiring.close(gateway)
        await all_settled()
        await pool.close()


def _interpreter() -> Interpreter:
    from orrery.edge.interpreting_local import LocalInterpreter

    return LocalInterpreter()


def _queue() -> Queue:
    from orrery.edge.background import worker
    from orrery.edge.queue_local import LocalQueue

    return LocalQueue(worker(wiring.current))


def _given(peppers: Mapping[int, bytes]) -> ReadPeppers:
    async def read() -> Mapping[int, bytes]:
        return peppers

    return read


def listen(port: int) -> socket.socket:
    """A socket on that port of this machine only. Raises `Misconfigured` when it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as err:
        listener.close()
        if err.errno == errno.EADDRINUSE:
            raise Misconfigured(f"port {port} is taken: stop what uses it, or choose another with ORRERY_PORT") from err
        raise Misconfigured(f"port {port} cannot be used: {err.strerror}; choose another with ORRERY_PORT") from err
    return listener


def find_template() -> Path:
    """`template.yaml` of the checkout that this package runs from, or of the current folder."""
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (folder / "template.yaml").is_file() and (folder / "functions").is_dir():
            return folder / "template.yaml"
    raise Misconfigured("there is no template.yaml here: run this from a checkout of Orrery")


def greeting(connection: Connection, providers: list[str], place: str) -> str:
    """What a person needs first: where, with what, and two snippets that work as they stand."""
    url, key = connection.base_url, connection.api_key
    return f"""
Orrery is at  {url}
Your key      {key}
Providers     {", ".join(providers)}
Table         {place}

curl {url}/chat/completions -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "sandbox/echo", "messages": [{{"role": "user", "content": "Hello, planets"}}]}}'

from openai import OpenAI
client = OpenAI(base_url="{url}", api_key="{key}")
for chunk in client.chat.completions.create(
    model="sandbox/echo", messages=[{{"role": "user", "content": "Hello, planets"}}], stream=True
):
    print(chunk.choices[0].delta.content or "", end="")

Ctrl-C stops it. One line per request follows.

"""


def _table(settings: Settings) -> AbstractAsyncContextManager[OpenTable]:
    if settings.dynamodb_endpoint:
        credentials = wiring.endpoint_credentials(settings)
        return open_remote(region=settings.region, endpoint=settings.dynamodb_endpoint, credentials=credentials)
    return open_state(settings.state, region=settings.region, serve=True)


def _config(app: Mounted) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=FAREWELL_S,
    )


class _Server(uvicorn.Server):
    """uvicorn, ending on a signal without raising it again: the books are closed after the last answer."""

    def handle_exit(self, sig: int, frame: object) -> None:
        self.should_exit = True


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop


if __name__ == "__main__":
    main()
