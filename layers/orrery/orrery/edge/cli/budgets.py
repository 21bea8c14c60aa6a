"""`orrery budgets`: what an organization, its keys, its callers and its targets may use in a day, a week, a month."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer

from orrery.core.limits import Budget, Period, Scope
from orrery.edge.cli.command import Answer, Organization, command
from orrery.edge.cli.desk import Desk
from orrery.edge.cli.money import nano_of, usd_of
from orrery.edge.cli.place import Refused
from orrery.edge.cli.text import columns
from orrery.stores.budget_rows import Used
from orrery.stores.budgets import BudgetStore
from orrery.stores.credentials import CredentialStore
from orrery.stores.table import Table

EACH = "*"
SCOPES: tuple[Scope, ...] = get_args(Scope.__value__)
PERIODS: tuple[Period, ...] = get_args(Period.__value__)

app = typer.Typer(
    help="Budgets: cost and tokens in a period. Of those that a request matches, the strictest counts.",
    no_args_is_help=True,
)

ScopeName = Annotated[str, typer.Argument(help=f"{', '.join(SCOPES)}.", metavar="SCOPE")]
Target = Annotated[
    str | None,
    typer.Argument(
        help="Its id, a provider's name, or provider/model; '*' is each one by itself. Not for organization.",
    ),
]
PeriodName = Annotated[str, typer.Option("--period", "-p", help=f"{', '.join(PERIODS)}; they begin in UTC.")]


@dataclass(frozen=True, slots=True)
class Line:
    """A budget, and what is used of it; None for each one's own, of which no single one was asked for."""

    budget: Budget
    used: Used | None


@command(app, "set")
async def set_budget(
    desk: Desk,
    scope: ScopeName,
    target: Target = None,
    organization: Organization = None,
    *,
    period: PeriodName,
    usd: Annotated[str | None, typer.Option(help="US dollars, such as 5 or 2.50.")] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="Tokens, prompt and answer together.")] = None,
) -> Answer:
    """Set a budget, in place of the one of the same scope, target and period. Counts everywhere within two minutes."""
    chosen = desk.organization(organization)
    await desk.ledger.balance(chosen)  # raises when there is no such organization
    cost_nano = None if usd is None else nano_of(usd)
    budget = Budget(_scope(scope), _target(scope, target, chosen), _period(period), cost_nano, tokens)
    await _settings(desk).put_budget(chosen, budget)
    line = await _line(desk, chosen, budget)
    return Answer(document(line), text([line]))


@command(app, "list")
async def list_all(
    desk: Desk,
    organization: Organization = None,
    *,
    of: Annotated[str | None, typer.Option(help="Show what this one has used of the budgets for '*'.")] = None,
) -> Answer:
    """The budgets, and what is used of them in the period that is now."""
    chosen = desk.organization(organization)
    budgets = (await _settings(desk).read(chosen)).budgets
    lines = await asyncio.gather(*(_line(desk, chosen, budget, of) for budget in budgets))
    return Answer([document(line) for line in lines], text(lines) if lines else "no budgets")


@command(app, "remove")
async def remove(
    desk: Desk, scope: ScopeName, target: Target = None, organization: Organization = None, *, period: PeriodName
) -> Answer:
    """Forget a budget. Counts everywhere within two minutes."""
    chosen = desk.organization(organization)
    budget = Budget(_scope(scope), _target(scope, target, chosen), _period(period))
    await _settings(desk).remove_budget(chosen, budget.id)
    return Answer({"id": budget.id, "deleted": True}, f"the budget {budget.id} is forgotten")


def _settings(desk: Desk) -> CredentialStore:
    return CredentialStore(Table(desk._call, desk.table))


async def _line(desk: Desk, organization: str, budget: Budget, of: str | None = None) -> Line:
    target = of if budget.target == EACH else budget.target
    if target is None:
        return Line(budget, None)
    return Line(budget, await BudgetStore(Table(desk._call, desk.table)).used(organization, budget, target))


def _scope(text: str) -> Scope:
    for scope in SCOPES:
        if scope == text:
            return scope
    raise Refused(f"a scope is one of {', '.join(SCOPES)}, not {text[:40]!r}")


def _period(text: str) -> Period:
    for period in PERIODS:
        if period == text:
            return period
    raise Refused(f"a period is one of {', '.join(PERIODS)}, not {text[:40]!r}")


def _target(scope: str, target: str | None, organization: str) -> str:
    if scope == "organization":
        if target not in (None, organization):
            raise Refused("a budget of an organization is its own: name it with --organization")
        return organization
    if target is None:
        raise Refused(f"whose budget? name the {scope}, or '*' for each by itself")
    return target


def document(line: Line) -> dict[str, Any]:
    """A budget for programs: exact decimals as text, and the integers that are stored."""
    budget, used = line.budget, line.used
    return {
        "id": budget.id,
        "scope": budget.scope,
        "target": budget.target,
        "period": budget.period,
        "cost_usd": None if budget.cost_nano is None else usd_of(budget.cost_nano),
        "cost_nano": budget.cost_nano,
        "tokens": budget.tokens,
        "used": None
        if used is None
        else {
            "cost_usd": usd_of(used.cost_nano),
            "cost_nano": used.cost_nano,
            "tokens": used.tokens,
            "held_cost_nano": used.held_cost_nano,
            "held_tokens": used.held_tokens,
            "running": used.running,
        },
    }


def text(lines: list[Line]) -> str:
    """Budgets for people."""
    head = ("SCOPE", "TARGET", "PERIOD", "USD", "USED", "TOKENS", "USED", "RUNNING")
    rows = [
        (
            line.budget.scope,
            line.budget.target,
            line.budget.period,
            "-" if line.budget.cost_nano is None else usd_of(line.budget.cost_nano),
            "-" if line.used is None else usd_of(line.used.cost_nano),
            "-" if line.budget.tokens is None else str(line.budget.tokens),
            "-" if line.used is None else str(line.used.tokens),
            "-" if line.used is None else str(line.used.running),
        )
        for line in lines
    ]
    return columns(head, rows, right=frozenset({"USD", "USED", "TOKENS", "RUNNING"}))
