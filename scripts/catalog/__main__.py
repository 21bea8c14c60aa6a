"""The command; `scripts/catalog/__init__.py` says what it does."""

import argparse
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import scripts.catalog
from scripts.catalog import snapshot

from orrery.catalog.models import DATA


def write(folder: Path, day: date) -> Counter[str]:
    """Writes every provider's sheet and the indexes into `folder`; gives what was counted on the way."""
    # Not before: `--refresh` replaces what these read when they are imported.
    from scripts.catalog.index import index_of
    from scripts.catalog.providers import PROVIDERS
    from scripts.catalog.sheets import rows_of, sheet_of

    tally: Counter[str] = Counter()
    by_hand = DATA / "sandbox.json"
    sheets = {provider: rows_of(provider, day, tally) for provider in PROVIDERS}
    for provider, rows in sheets.items():
        (folder / f"{provider}.json").write_text(sheet_of(provider, rows, day), encoding="utf-8")
        if not any("rates" in row or "units" in row for row in rows.values()):
            tally[f"providers without a price: {provider}, {PROVIDERS[provider].note}"] += 1
    sheets["sandbox"] = json.loads(by_hand.read_text(encoding="utf-8"))["models"]
    for name, slashed in (("_bare", False), ("_slashed", True)):
        (folder / f"{name}.json").write_text(index_of(sheets, slashed=slashed), encoding="utf-8")
    return tally


def main() -> None:
    """Writes the files and prints the summary."""
    options = argparse.ArgumentParser(prog="python -m scripts.catalog", description=scripts.catalog.__doc__)
    options.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
    options.add_argument("--out", type=Path, default=DATA)
    options.add_argument("--refresh", action="store_true", help="read LiteLLM's price map again, as it is locked now")
    chosen = options.parse_args()
    if chosen.refresh:
        snapshot.refresh(chosen.date)
    for what, count in sorted(write(chosen.out, chosen.date).items()):
        print(f"{count:6}  {what}")


if __name__ == "__main__":
    main()
