"""The script that writes the data: what it makes of prices, dates, hours and rules."""

from collections import Counter
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from genai_prices import types
from scripts.catalog import genai, litellm, media, names, sheets, snapshot
from scripts.catalog.__main__ import write
from scripts.catalog.providers import PROVIDERS, Sources

from orrery.catalog import models

DAY = date(2026, 11, 21)
Hours = types.TimeOfDateConstraint
Start = types.StartDateConstraint


def model(prices: object, **facts: object) -> types.ModelInfo:
    return types.ModelInfo(id="m", match=types.ClauseEquals("m"), prices=prices, **facts)  # type: ignore[arg-type] # shaped by each test


def rate(usd: str) -> types.ModelPrice:
    return types.ModelPrice(input_mtok=Decimal(usd), output_mtok=Decimal(usd))


def row(found: types.ModelInfo, tally: Counter[str] | None = None) -> dict[str, object]:
    tally = Counter() if tally is None else tally
    ((_, made),) = genai.rows_of("groq", found, DAY, tally)
    return made


def test_running_it_again_writes_what_is_committed(tmp_path: Path) -> None:
    days = {orjson.loads((models.DATA / f"{provider}.json").read_bytes())["checked"] for provider in PROVIDERS}
    assert len(days) == 1
    write(tmp_path, date.fromisoformat(days.pop()))
    for path in models.DATA.glob("*.json"):
        if path.name != "sandbox.json":
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), f"run `make catalog`: {path.name} is stale"
    assert not (tmp_path / "sandbox.json").exists()


def test_what_we_keep_of_litellms_map_is_of_the_release_that_is_locked() -> None:
    locked = f"LiteLLM {snapshot.version(snapshot.LOCK.read_text())}"
    assert locked == litellm.PACKAGE == media.PACKAGE, "run `make catalog`"


def test_each_model_has_a_line_of_its_own() -> None:
    for path in models.DATA.glob("[a-z]*.json"):
        lines = path.read_text(encoding="utf-8").splitlines()
        sheet = orjson.loads(path.read_bytes())
        assert len(lines) == 6 + len(sheet["models"]) + ("note" in sheet)


def test_a_usd_per_million_is_a_million_pico_per_token() -> None:
    assert row(model(rate("0.0375")))["rates"] == {"input": 37_500, "output": 37_500}


def test_what_is_no_whole_pico_is_rounded_up_and_counted() -> None:
    tally: Counter[str] = Counter()
    assert row(model(rate("0.0833333333333333")), tally)["rates"] == {"input": 83_334, "output": 83_334}
    assert tally["rates rounded up to a whole pico-USD"] == 2


@pytest.mark.parametrize(("start", "usd"), [("2026-11-20", 2), ("2026-11-21", 2), ("2026-11-22", 1)])
def test_a_price_counts_from_its_first_day(start: str, usd: int) -> None:
    later = types.ConditionalPrice(Start(date.fromisoformat(start)), prices=rate("2"))
    found = row(model([types.ConditionalPrice(prices=rate("1")), later]))
    assert found["rates"] == {"input": usd * 10**6, "output": usd * 10**6}


@pytest.mark.parametrize("hourly", ["0.5", "3"])
def test_the_dearest_hour_of_the_day_counts(hourly: str) -> None:
    night = types.ConditionalPrice(Hours(time(1), time(4)), prices=rate(hourly))
    tally: Counter[str] = Counter()
    found = row(model([types.ConditionalPrice(prices=rate("1")), night]), tally)
    assert found["rates"] == {
        "input": max(10**6, int(Decimal(hourly) * 10**6)),
        "output": max(10**6, int(Decimal(hourly) * 10**6)),
    }
    assert tally["priced at the dearest hour of the day"] == 1


def test_hours_of_a_price_that_was_replaced_no_longer_count() -> None:
    night = types.ConditionalPrice(Hours(time(1), time(4)), prices=rate("9"))
    newer = types.ConditionalPrice(Start(date(2026, 1, 1)), prices=rate("2"))
    found = row(model([types.ConditionalPrice(prices=rate("1")), night, newer]))
    assert found["rates"] == {"input": 2 * 10**6, "output": 2 * 10**6}


def test_hourly_prices_that_cannot_be_compared_stop_the_script() -> None:
    other = types.ConditionalPrice(Hours(time(1), time(4)), prices=types.ModelPrice(input_mtok=Decimal(9)))
    with pytest.raises(ValueError, match="have no dearest"):
        row(model([types.ConditionalPrice(prices=rate("1")), other]))


def test_tiers_of_single_classes_become_tiers_of_whole_requests() -> None:
    tiered = types.TieredPrices(Decimal(1), [types.Tier(100, Decimal(2)), types.Tier(200, Decimal(4))])
    late = types.TieredPrices(Decimal(3), [types.Tier(200, Decimal(6))])
    found = row(model(types.ModelPrice(input_mtok=tiered, output_mtok=late, cache_read_mtok=Decimal("0.5"))))
    assert found["rates"] == {"input": 10**6, "output": 3 * 10**6, "cache_read": 500_000}
    assert found["above"] == [
        (100, {"input": 2 * 10**6, "output": 3 * 10**6, "cache_read": 500_000}),
        (200, {"input": 4 * 10**6, "output": 6 * 10**6, "cache_read": 500_000}),
    ]


def test_a_fee_per_thousand_requests_is_pico_per_request() -> None:
    prices = types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), requests_kcount=Decimal(12))
    assert row(model(prices))["request"] == 12 * 10**9


@pytest.mark.parametrize("key", ["output_reasoning_mtok", "audio_hours", "input_document_kpages"])
def test_a_unit_that_replies_do_not_count_leaves_no_price(key: str) -> None:
    found = row(model(types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), **{key: Decimal(1)})))
    assert "rates" not in found
    assert key in str(found["note"])


def test_no_price_is_free_only_where_the_source_says_free() -> None:
    assert row(model(types.ModelPrice(), name="Model M (free)"))["rates"] == {"input": 0, "output": 0}
    assert row(model(types.ModelPrice()))["note"] == "no price"


@pytest.mark.parametrize(
    ("regex", "rules"),
    [
        (r"^gpt-6\.1-sol-\d{4}-\d{2}-\d{2}$", ["gpt-6.1-sol-####-##-##"]),
        (r"^claude-opus-5[-@]\d{8}$", ["claude-opus-5-########", "claude-opus-5@########"]),
        (r"^gemini-4-argon-\d", ["gemini-4-argon-#*"]),
    ],
)
def test_a_regex_becomes_rules(regex: str, rules: list[str]) -> None:
    assert list(names.rules_of(regex)) == rules


@pytest.mark.parametrize("regex", ["gpt", "^gpt.*$", "^(a|b)$", r"^(?!x)", "^a+$"])
def test_a_regex_that_rules_cannot_say_stops_the_script(regex: str) -> None:
    with pytest.raises(ValueError, match="no rule can say"):
        list(names.rules_of(regex))


def entry(**facts: object) -> dict[str, object]:
    """One of LiteLLM's, 1 and 2 USD per million tokens, read from a page."""
    costs = {"input_cost_per_token": "1e-06", "output_cost_per_token": "2e-06"}
    return {"mode": "chat", "source": "https://x.test", **costs, **facts}


def added(**facts: object) -> dict[str, object] | None:
    return litellm.row_of("groq", "m", entry(**facts), DAY, Counter())


def test_a_price_of_litellms_counts_only_with_the_page_that_it_is_from() -> None:
    row = added()
    assert row is not None and row["rates"] == {"input": 10**6, "output": 2 * 10**6}
    without = entry()
    del without["source"]
    assert litellm.row_of("groq", "m", without, DAY, Counter()) is None


def test_binary_noise_in_a_price_is_no_price() -> None:
    row = added(output_cost_per_token="1.5000020000000002e-05")
    assert row is not None and row["rates"] == {"input": 10**6, "output": 15_000_020}


def test_tiers_of_litellms_keep_what_they_do_not_raise() -> None:
    row = added(input_cost_per_token_above_200k_tokens="3e-06", cache_read_input_token_cost="1e-07")
    assert row is not None
    assert row["above"] == [(200_000, {"input": 3 * 10**6, "output": 2 * 10**6, "cache_read": 100_000})]
    ranges = [{**entry(), "range": [0, 32000.0]}, {**entry(input_cost_per_token="2e-06"), "range": [32000.0, 64000.0]}]
    tiered = added(tiered_pricing=ranges)
    assert tiered is not None and tiered["above"] == [(32_000, {"input": 2 * 10**6, "output": 2 * 10**6})]


def test_output_is_priced_like_thinking_where_that_is_dearer() -> None:
    row = added(output_cost_per_reasoning_token="4e-06")
    assert row is not None and row["rates"] == {"input": 10**6, "output": 4 * 10**6}


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"input_cost_per_token": 0}, "no price"),
        ({"input_cost_per_image_token": "2e-06"}, "images"),
        ({"output_cost_per_image": "0.04"}, "output_cost_per_image"),
        ({"output_cost_per_token": "0.01"}, "no model has"),
    ],
)
def test_what_litellm_prices_strangely_has_no_price(facts: dict[str, object], note: str) -> None:
    row = added(**facts)
    assert row is not None and "rates" not in row
    assert note in str(row["note"])


def test_facts_say_only_what_is_known() -> None:
    facts = litellm.facts_of(entry(max_input_tokens=100, max_output_tokens=100, supports=["vision", "reasoning"]), DAY)
    assert facts["context_window"] == 100 and "max_output" not in facts
    assert facts["input_modalities"] == ["text", "image"] and facts["reasoning"] is True


@pytest.mark.parametrize(("day", "is_listed"), [("2026-11-21", False), ("2026-11-22", True)])
def test_a_model_leaves_the_list_on_the_day_it_is_switched_off(day: str, is_listed: bool) -> None:
    row = added(deprecation_date=day)
    assert row is not None and row.get("listed", True) is is_listed


def test_of_two_prices_for_a_name_of_its_own_the_dearer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for usd, expected in (("1e-06", 5 * 10**6), ("9e-06", 9 * 10**6)):
        found = {"m": entry(input_cost_per_token=usd, output_cost_per_token=usd)}
        monkeypatch.setitem(litellm.MAP["models"], "groq", found)
        rows = {"m": {"operations": ["chat"], "rates": {"input": 5 * 10**6, "output": 5 * 10**6}, "source": "theirs"}}
        sheets._join(rows, "groq", Sources(litellm=(("groq", ""),), exact=True), DAY, Counter())
        assert rows["m"]["rates"]["input"] == expected
        assert rows["m"]["source"] == ("theirs" if expected < 9 * 10**6 else f"{litellm.PACKAGE}, https://x.test")


def test_a_lock_gives_litellms_own_lines() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:aa\nlitellm[proxy]==1.2.3 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\nz==1\n"
    )
    assert snapshot.locked(lock) == "litellm==1.2.3 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    assert snapshot.version(lock) == "1.2.3"


def test_a_snapshot_keeps_standard_prices_with_a_page_and_no_others() -> None:
    facts = {
        **entry(litellm_provider="groq"),
        "input_cost_per_token_batches": "1e-07",
        "supports_vision": True,
        "rpm": 5,
    }
    without = {key: value for key, value in facts.items() if key != "source"}
    found = {
        "groq/a": facts,
        "groq/b": without,
        "groq/c": {**facts, "mode": "ocr"},
        "d": {"litellm_provider": "nobody"},
    }
    kept = orjson.loads(snapshot.kept(found, "1", DAY))["models"]["groq"]
    assert kept["groq/a"] == {**entry(), "supports": ["vision"]}
    assert kept["groq/b"] == {"mode": "chat", "supports": ["vision"]}
    assert kept.keys() == {"groq/a", "groq/b"}
