"""The command line: `orrery init`, `keys`, `credits`, `budgets`, `models`, `providers`, `prompts`, `agents`, `ledger`.

    money     US dollars in text, nano-dollars in the ledger
    place     where the table is: the state folder, an endpoint, AWS
    desk      the stores over it
    command   what commands have in common: options, one answer, one line for what went wrong
    rates     US dollars per million tokens in text, pico-dollars per token in the catalog
    model_facts   what may be said of a model, as it is stored
    prompt_files, agent_files   prompts and agents as files in a folder
    init, keys, credits, budgets, models, providers, prompts, agents, ledger   the commands

Nothing here needs moto unless this process is the one to open the state folder.
"""

import typer

from orrery.edge.cli import agents, budgets, credits, init, keys, ledger, models, prompts, providers

app = typer.Typer(
    help="Orrery's keys, credit, models and books, in the local table, or on AWS with --aws.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # or it takes [env var: …] for its own markup
    pretty_exceptions_enable=False,
)
init.add_to(app)
app.add_typer(keys.app, name="keys")
app.add_typer(credits.app, name="credits")
app.add_typer(budgets.app, name="budgets")
app.add_typer(models.app, name="models")
app.add_typer(providers.app, name="providers")
app.add_typer(prompts.app, name="prompts")
app.add_typer(agents.app, name="agents")
app.add_typer(ledger.app, name="ledger")


def main() -> None:
    """The entry point of `orrery`."""
    app()
