"""Which providers know a name, or a rule that takes it, so that a name without a provider opens only their sheets."""

import json
from collections.abc import Mapping
from typing import Any

type Rows = Mapping[str, Mapping[str, Any]]


def index_of(sheets: Mapping[str, Rows], *, slashed: bool) -> str:
    """JSON, one name or rule per line: of those with a slash in them, or of those without.

    `names` are in lower case, aliases among them. A rule that could take either kind of name stands in both files.
    """
    providers = list(sheets)
    names: dict[str, set[int]] = {}
    rules: dict[str, set[int]] = {}
    for number, rows in enumerate(sheets.values()):
        for name, row in rows.items():
            for spelling in (name, *row.get("aliases", ())):
                if ("/" in spelling) is slashed:
                    names.setdefault(spelling.lower(), set()).add(number)
            for rule in row.get("matches", ()):
                if ("/" in rule) is slashed or (slashed and "*" in rule):
                    rules.setdefault(rule, set()).add(number)
    parts = [f'"providers": {json.dumps(providers)}', _block("names", names), _block("rules", rules)]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _block(title: str, found: Mapping[str, set[int]]) -> str:
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(sorted(found[name]))}" for name in sorted(found))
    return f'"{title}": {{\n{lines}\n}}'
