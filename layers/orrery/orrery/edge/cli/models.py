"""`orrery models`: an operator's own models and prices, before those that ship with the gateway."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from orrery.catalog import models as catalog
from orrery.catalog.units import FORMS, kind_of
from orrery.core.types import Model, Operation, Price
from orrery.edge.cli.command import Answer, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.model_facts import canonical, own_model, units_of
from orrery.edge.cli.place import Refused
from orrery.edge.cli.rates import rate_of, usd_of_one
from orrery.edge.cli.text import columns
from orrery.edge.model_object import model_object
from orrery.stores.model_rows import OwnModel, model_of

app = typer.Typer(help="Models of your own, and prices that come before the built-in ones.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="provider/name, as callers ask for it: azure/my-deployment.")]
Rate = Annotated[str | None, typer.Option(help="US dollars per million of these tokens.")]


@command(app, "set")
async def set_model(
    desk: Desk,
    model: Id,
    *,
    like: Annotated[
        str | None, typer.Option(help="The built-in model that this one is, such as openai/gpt-4o.")
    ] = None,
    input: Rate = None,
    output: Rate = None,
    cache_read: Rate = None,
    cache_write: Rate = None,
    cache_write_1h: Rate = None,
    audio_input: Rate = None,
    audio_output: Rate = None,
    image_input: Rate = None,
    image_output: Rate = None,
    unit: Annotated[
        list[str] | None, typer.Option(help=f"US dollars for one of: {FORMS}, as in image/high=0.04; may be repeated.")
    ] = None,
    request: Annotated[str | None, typer.Option(help="US dollars per million requests, beside the tokens.")] = None,
    context: Annotated[int | None, typer.Option(min=1, help="Context window, in tokens.")] = None,
    max_output: Annotated[int | None, typer.Option(min=1, help="The longest answer, in tokens.")] = None,
    operation: Annotated[list[Operation] | None, typer.Option(help="What it serves; may be repeated.")] = None,
    reads: Annotated[list[str] | None, typer.Option(help="text, image, audio, video or pdf; may be repeated.")] = None,
) -> Answer:
    """Set a model's price and facts, in place of what was set before. What is not said stays as the catalog has it."""
    rates = {
        "input": input,
        "output": output,
        "cache_read": cache_read,
        "cache_write": cache_write,
        "cache_write_1h": cache_write_1h,
        "audio_input": audio_input,
        "audio_output": audio_output,
        "image_input": image_input,
        "image_output": image_output,
    }
    said = {"rates": {name: usd for name, usd in rates.items() if usd is not None}, "request": request, "like": like}
    said |= {"units": units_of(unit or [])}
    facts = {"context_window": context, "max_output": max_output, "operations": operation, "input_modalities": reads}
    row = own_model(model, {name: value for name, value in {**said, **facts}.items() if value})
    stored = await desk.models.put(row)
    return Answer(document(stored), table([stored]))


@command(app, "unset")
async def unset(desk: Desk, model: Id) -> Answer:
    """Forget what was set: the built-in catalog counts again, if it knows the model."""
    provider, name = canonical(model)
    if not await desk.models.remove(provider, name):
        raise Refused(f"nothing is set for {provider}/{name}: `orrery models list --own` shows what is")
    known = catalog.find(provider, name)
    after = "the built-in catalog counts again" if known else "and the built-in catalog does not know it"
    return Answer({"id": f"{provider}/{name}", "known": known is not None}, f"{provider}/{name} is unset: {after}")


@command(app, "list")
async def list_all(
    desk: Desk,
    provider: Annotated[str | None, typer.Argument(help="Only this provider's.")] = None,
    *,
    own: Annotated[bool, typer.Option("--own", help="Only what was set here.")] = False,
) -> Answer:
    """Models with their prices in US dollars per million tokens. Whether their providers have keys is not asked."""
    rows = await desk.models.all()
    chosen = canonical(f"{provider}/x")[0] if provider else None
    if own:
        rows = tuple(row for row in rows if chosen in (None, row.provider))
        return Answer([document(row) for row in rows], table(rows) if rows else "nothing is set here")
    found = {model.id: model for model in catalog.listed([chosen] if chosen else catalog.PREFERENCE)}
    found |= {row.id: shown(row) for row in rows if chosen in (None, row.provider)}
    models = [found[name] for name in sorted(found)]
    return Answer([model_object(model) for model in models], text(models) if models else "no models")


@command(app, "import")
async def import_file(
    desk: Desk,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help='JSON: {"provider/name": {"rates": …}}.')],
) -> Answer:
    """Set every model of a file. Its facts are those of `set`: like, rates, request, context_window, max_output, …

    Nothing is set unless every line can be.
    """
    try:
        lines = orjson.loads(file.read_bytes())
    except ValueError as err:
        raise Refused(f"{file} is no JSON: {err}") from err
    if not isinstance(lines, dict) or not all(isinstance(facts, dict) for facts in lines.values()):
        raise Refused(f"{file} is no JSON object of models, each an object of facts")
    rows = [own_model(model, facts) for model, facts in lines.items()]
    stored = [await desk.models.put(row) for row in rows]
    return Answer([document(row) for row in stored], table(stored) if stored else "nothing in it")


def shown(row: OwnModel) -> Model:
    """As callers see it."""
    provider, _, name = (row.like or row.id).partition("/")
    return model_of(row, catalog.find(provider, name))


def document(row: OwnModel) -> dict[str, Any]:
    """What is set, for programs: what callers see, and what it is like."""
    return {**model_object(shown(row)), "like": row.like or None, "set_at": row.set_at}


def table(rows: "list[OwnModel] | tuple[OwnModel, ...]") -> str:
    """What is set, for people."""
    return text([shown(row) for row in rows])


def text(models: list[Model]) -> str:
    """Models for people: prices in US dollars per million tokens, and of one unit of what is sold by the unit."""
    head = ("MODEL", "INPUT", "OUTPUT", "CACHED", "UNIT", "CONTEXT", "FROM")
    return columns(head, [_line(model) for model in models], right=frozenset(head[1:6]))


def _line(model: Model) -> tuple[str, ...]:
    price = model.price
    rates = price.rates if price and (price.rates.input or price.rates.output or not price.units) else None
    prices = (rate_of(rates.input), rate_of(rates.output), rate_of(rates.cache_read)) if rates else ("-", "-", "-")
    source = f"{model.source.partition(',')[0]} {model.checked}"
    return (model.id, *prices, _units(price), str(model.context_window or "-"), source)


def _units(price: Price | None) -> str:
    """`0.04/image`, or from the cheapest to the dearest variety."""
    if price is None or not price.units:
        return "-"
    ends = sorted({min(price.units.values()), max(price.units.values())})
    return f"{'-'.join(map(usd_of_one, ends))}/{kind_of(next(iter(price.units)))}"
