"""`GET /models`: what this deployment can really call, with windows, prices and what each model serves."""

from collections.abc import Mapping
from dataclasses import replace

from orrery.catalog.cost import covers
from orrery.catalog.units import COUNTED_IN
from orrery.core.errors import GatewayError, UnknownModel
from orrery.core.types import Model, Operation, Price, Usage
from orrery.edge.arrive import bearer_token, refuse_reserved
from orrery.edge.model_object import model_object
from orrery.edge.replying import respond, respond_error
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Account, Gateway
from orrery.providers.serving import serves

type Accounts = Mapping[str, Account]


async def list_models(request: Request, gateway: Gateway) -> Response:
    """Every model of every provider that can be called, sorted by id."""
    try:
        await _admit(request, gateway)
        accounts = await _accounts(gateway)
        listed = await gateway.catalog.listed(accounts)
        callable_rows = [await _at_home(row, accounts, gateway) for row in listed if _serves(row, accounts, gateway)]
    except GatewayError as err:
        return respond_error(request, err)
    rows = [model_object(row) for row in callable_rows]
    return respond(request, 200, {"object": "list", "data": rows})


async def retrieve_model(request: Request, name: str, gateway: Gateway) -> Response:
    """One of them, by its id, by any name that a call could give; 404 for anything else."""
    try:
        await _admit(request, gateway)
        row = await _callable_row(name, gateway)
    except GatewayError as err:
        return respond_error(request, err)
    return respond(request, 200, model_object(row))


async def _admit(request: Request, gateway: Gateway) -> None:
    gateway.catalog.prepare()
    principal, fresh = await gateway.keys.find(bearer_token(request.scope["headers"]))
    refuse_reserved(request.scope["headers"])
    if not fresh:
        await gateway.keys.confirm(principal)


async def _accounts(gateway: Gateway) -> Accounts:
    return {account.provider.name: account for account in await gateway.accounts.usable()}


async def _callable_row(name: str, gateway: Gateway) -> Model:
    """The model that `name` means, with its provider or without. Raises `UnknownModel` when no call would reach it."""
    accounts = await _accounts(gateway)
    prefix, _, rest = name.partition("/")
    account = await gateway.accounts.find(prefix) if rest else None
    asked = [(account.provider.name, rest)] if account else [(p, name) for p in await gateway.catalog.named(name)]
    for provider, bare in asked:
        row = await gateway.catalog.find(provider, bare) if provider in accounts else None
        if row and _serves(row, accounts, gateway):
            return await _at_home(row, accounts, gateway)
    raise UnknownModel(f"Model '{name[:80]}' not found or is not available", param="model")


async def _at_home(row: Model, accounts: Accounts, gateway: Gateway) -> Model:
    """The model at the price of the region that its account calls."""
    region = accounts[row.provider].region
    there = await gateway.catalog.find(row.provider, row.name, region) if region else None
    return replace(row, price=there.price) if there else row


def _serves(row: Model, accounts: Accounts, gateway: Gateway) -> bool:
    """Whether a call to this model would be accepted: an operation that we speak, at a price that covers it."""
    provider = accounts[row.provider].provider
    return any(
        serves(provider, operation, row.operations)
        and (gateway.policy.allow_unpriced or _is_priced(row.price, operation))
        for operation in row.operations
    )


def _is_priced(price: Price | None, operation: Operation) -> bool:
    """By the unit that the operation is counted in, or by tokens: which of them a call counts, its adapter knows."""
    unit = COUNTED_IN.get(operation)
    return price is not None and covers(price, Usage(1, 1, units={unit: 1}) if unit else None)
