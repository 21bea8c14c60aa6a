"""What the functions need from outside: a table with a key and credit, and a provider to practise with.

sam_world.py <state folder> <address>: listens on that address, writes env.json for `sam local --env-vars` once all is
there, and ends with SIGTERM. Run by .ci/sam.
"""

import asyncio
import json
import socket
import sys
from pathlib import Path

import uvicorn

from orrery.edge.embedded.folder import StateFolder
from orrery.edge.embedded.opening import open_state
from orrery.edge.founding import connect
from orrery.edge.sandbox import app as sandbox
from orrery.edge.settings import Settings
from orrery.stores.keys import KeyStore
from orrery.stores.table import Table

FUNCTIONS = ("Chat", "Responses", "Background", "Embeddings", "Images", "Audio", "Models", "Manage", "Sweep")


class Provider(uvicorn.Server):
    """The sandbox on an address of its own; says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: asyncio.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._listening.set()


async def main(state: Path, address: str) -> None:
    settings, listening, listener = Settings(state=state), asyncio.Event(), socket.socket()
    listener.bind((address, 0))
    config = uvicorn.Config(sandbox, lifespan="off", ws="none", log_level="warning")
    async with open_state(state, serve=True, host=address) as table:
        serving = asyncio.create_task(Provider(config, listening).serve(sockets=[listener]))
        await listening.wait()
        pepper = StateFolder(state).secrets().key_pepper
        await connect(table.call, settings, KeyStore(Table(table.call, settings.table), {1: pepper.encode()}), "")
        variables = {
            "ORRERY_TABLE_NAME": settings.table,
            "ORRERY_DYNAMODB_ENDPOINT": table.url,
            "ORRERY_KEY_PEPPER": pepper,
            "ORRERY_SERVERS": f"practice=http://{address}:{listener.getsockname()[1]}/v1",
            "ORRERY_ALLOW_UNPRICED_MODELS": "true",
            "ORRERY_PROVIDER_SECRET_ARN": "",
            "ORRERY_PEPPER_SECRET_ARN": "",
            "ORRERY_UPLOADS_BUCKET": "",
            "ORRERY_QUEUE_URL": "",
            "ORRERY_INTERPRETER_FUNCTION": "",
        }
        (state / "env.part").write_text(json.dumps(dict.fromkeys(FUNCTIONS, variables)))
        (state / "env.part").rename(state / "env.json")
        await serving  # until SIGTERM


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
