"""Prices that are not tokens, out of both sources: by the picture, the second, the character, the page, the search."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from genai_prices import types
from scripts.catalog import genai, genai_media, media, sheets, snapshot
from scripts.catalog.providers import Sources

DAY = date(2026, 11, 21)
PAGE = "https://x.test"


def entry(mode: str, **facts: str) -> dict[str, str]:
    return {"mode": mode, "source": PAGE, **facts}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What LiteLLM's entries for a provider become."""

    def rows(provider: str = "groq", prefix: str = "", **entries: dict[str, str]) -> dict[str, dict[str, Any]]:
        named = {name.replace("__", "/"): facts for name, facts in entries.items()}
        monkeypatch.setitem(media.MAP["models"], "there", named)
        return media.rows_of(provider, Sources(litellm=(("there", prefix),)), DAY, Counter())

    return rows


@pytest.mark.parametrize(
    ("mode", "key", "usd", "units"),
    [
        ("image_generation", "output_cost_per_image", "0.04", {"image": 40 * 10**9}),
        ("image_generation", "input_cost_per_image", "0.04", {"image": 40 * 10**9}),
        ("image_edit", "output_cost_per_image", "0.4", {"image": 400 * 10**9}),
        ("audio_speech", "input_cost_per_character", "1.5e-05", {"character": 15 * 10**6}),
        ("audio_transcription", "input_cost_per_second", "0.0001", {"audio_ms": 100_000}),
        ("audio_transcription", "input_cost_per_second", "0.0000000015", {"audio_ms": 2}),
        ("rerank", "input_cost_per_query", "0.002", {"search": 2 * 10**9}),
        ("ocr", "ocr_cost_per_page", "0.001", {"page": 10**9}),
        ("video_generation", "output_cost_per_video_per_second", "0.1", {"video_ms": 10**8}),
        ("video_generation", "output_cost_per_second", "0.1", {"video_ms": 10**8}),
    ],
)
def test_a_price_by_the_unit(rows: Any, mode: str, key: str, usd: str, units: dict[str, int]) -> None:
    assert rows(m=entry(mode, **{key: usd}))["m"]["units"] == units


@pytest.mark.parametrize(
    ("mode", "facts"),
    [
        ("audio_speech", {"output_cost_per_image": "0.06"}),
        ("image_edit", {"input_cost_per_image": "0.06"}),
        ("image_generation", {"input_cost_per_pixel": "1e-08"}),
        ("image_generation", {}),
        ("video_generation", {"output_cost_per_second": "0.1", "input_cost_per_image": "0.01"}),
        ("rerank", {"input_cost_per_query": "0.0"}),
    ],
)
def test_what_our_units_cannot_say_is_no_row(rows: Any, mode: str, facts: dict[str, str]) -> None:
    assert rows(m=entry(mode, **facts)) == {}


def test_sizes_and_qualities_of_a_model_are_one_row(rows: Any) -> None:
    found = rows(
        a=entry("image_generation", input_cost_per_image="0.06"),
        **{
            "hd__1024-x-1792__a": entry("image_generation", input_cost_per_pixel="7.19343e-08"),
            "512-x-512__a": entry("image_generation", input_cost_per_image="0.016"),
        },
    )
    units = {"image": 60 * 10**9, "image/hd/1024x1792": 132 * 10**9, "image/standard/512x512": 16 * 10**9}
    assert found.keys() == {"a"} and found["a"]["units"] == units


def test_what_is_counted_in_tokens_is_priced_by_nothing_else(rows: Any) -> None:
    tokens = {"input_cost_per_token": "1e-06", "output_cost_per_image_token": "4e-05", "output_cost_per_image": "0.04"}
    row = rows(m=entry("image_generation", **tokens))["m"]
    assert "units" not in row
    assert row["rates"] == {"input": 10**6, "output": 40 * 10**6, "image_output": 40 * 10**6}


def test_sound_that_is_counted_in_tokens_costs_what_is_said_of_it(rows: Any) -> None:
    heard = {"input_cost_per_audio_token": "6e-06", "output_cost_per_token": "1e-05", "input_cost_per_second": "1"}
    assert rows(m=entry("audio_transcription", **heard))["m"]["rates"] == {
        "input": 6 * 10**6,
        "output": 10**7,
        "audio_input": 6 * 10**6,
    }


def test_a_price_of_pictures_that_rises_with_the_prompt_has_tiers(rows: Any) -> None:
    facts = {"input_cost_per_token": "2e-06", "output_cost_per_image_token": "1e-04"}
    row = rows(m=entry("image_generation", **facts, input_cost_per_token_above_200k_tokens="4e-06"))["m"]
    assert row["rates"]["input"] == 2 * 10**6
    assert row["above"] == [(200_000, row["rates"] | {"input": 4 * 10**6})]


def test_an_annotated_page_costs_the_page_and_the_annotation(rows: Any) -> None:
    row = rows(m=entry("ocr", ocr_cost_per_page="0.002", annotation_cost_per_page="0.003"))["m"]
    assert row["units"] == {"page": 2 * 10**9, "page/annotated": 5 * 10**9}


def test_telling_speakers_apart_costs_more_where_a_price_for_it_is_known(rows: Any) -> None:
    heard = entry("audio_transcription", input_cost_per_second="0.0001")
    diarized = entry("audio_transcription", input_cost_per_second="0.00001")
    found = rows("deepgram", "d/", **{"d__m": heard, "d__streaming__diarize": diarized})
    assert found.keys() == {"m"} and found["m"]["units"] == {"audio_ms": 100_000, "audio_ms/diarized": 110_000}


def test_sora_costs_more_in_sizes_that_it_has_another_price_for(rows: Any) -> None:
    low, high = (entry("video_generation", output_cost_per_video_per_second=usd) for usd in ("0.3", "0.5"))
    found = rows("openai", **{"sora-9": low, "sora-9-high-res": high})
    units = {"video_ms": 5 * 10**8, "video_ms/720x1280": 3 * 10**8, "video_ms/1280x720": 3 * 10**8}
    assert found.keys() == {"sora-9"} and found["sora-9"]["units"] == units


@pytest.mark.parametrize("name", ["gpt-realtime-whisper", "gpt-live-transcribe", "streaming__x", "x-live"])
def test_what_no_request_reaches_is_no_row(rows: Any, name: str) -> None:
    assert rows("deepgram", **{name: entry("audio_transcription", input_cost_per_second="1")}) == {}


@pytest.mark.parametrize(
    ("provider", "name", "mode", "operations"),
    [
        ("openai", "gpt-image-9", "image_generation", ["image_generation", "image_edit"]),
        ("openai", "dall-e-9", "image_generation", ["image_generation"]),
        ("openai", "whisper-1", "audio_transcription", ["transcription", "translation"]),
        ("groq", "whisper-large-v3-turbo", "audio_transcription", ["transcription"]),
        ("deepgram", "whisper", "audio_transcription", ["transcription"]),
    ],
)
def test_a_model_serves_what_its_provider_says(provider: str, name: str, mode: str, operations: list[str]) -> None:
    assert media.row_of(provider, name, entry(mode), DAY)["operations"] == operations


def test_a_model_that_edits_reads_pictures() -> None:
    row = media.row_of("openai", "gpt-image-9", entry("image_generation", deprecation_date="2026-11-21"), DAY)
    assert row["input_modalities"] == ["text", "image"] and row["output_modalities"] == ["image"]
    assert row["listed"] is False and row["source"] == f"{media.PACKAGE}, {PAGE}"


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A provider of genai-prices with one model."""

    def theirs(name: str, **prices: str) -> None:
        model = types.ModelInfo(
            id=name,
            match=types.ClauseOr([types.ClauseEquals(name), types.ClauseEquals(f"{name}-b")]),
            prices=types.ModelPrice(**{key: Decimal(usd) for key, usd in prices.items()}),
        )
        provider = types.Provider(id="p", name="P", api_pattern="", models=[model])
        monkeypatch.setattr(genai, "provider_of", lambda group: provider)

    return theirs


@pytest.mark.parametrize(
    ("key", "usd", "units", "operation"),
    [
        ("input_audio_hours", "0.36", {"audio_ms": 100_000}, "transcription"),
        ("input_audio_hours", "0.111", {"audio_ms": 30_834}, "transcription"),
        ("input_document_kpages", "2", {"page": 2 * 10**9}, "ocr"),
        ("input_mchars", "15", {"character": 15 * 10**6}, "speech"),
    ],
)
def test_what_genai_prices_sells_by_the_unit_is_a_row(
    theirs: Any, key: str, usd: str, units: dict[str, int], operation: str
) -> None:
    theirs("asr", **{key: usd})
    found = dict(genai_media.rows_of("groq", "p", DAY, Counter()))
    assert found.keys() == {"asr", "asr-b"} and found["asr-b"]["listed"] is False
    assert (found["asr"]["units"], found["asr"]["operations"]) == (units, [operation])
    assert found["asr"]["source"] == genai.PACKAGE


def test_what_chats_beside_is_left_to_its_tokens(theirs: Any) -> None:
    theirs("asr", input_audio_hours="1", input_mtok="1", output_mtok="1")
    assert dict(genai_media.rows_of("groq", "p", DAY, Counter())) == {}


def test_pages_of_both_kinds_come_with_their_prices(theirs: Any) -> None:
    theirs("ocr", input_document_kpages="1", input_annotated_document_kpages="3")
    found = dict(genai_media.rows_of("groq", "p", DAY, Counter()))
    assert found["ocr"]["units"] == {"page": 10**9, "page/annotated": 4 * 10**9}


def test_of_two_prices_by_the_token_the_dearer_counts_class_by_class(theirs: Any) -> None:
    theirs("a-tts", input_mtok="1", output_mtok="12", input_image_mtok="3")
    row = {"rates": {"input": 2 * 10**6, "output": 10**7, "audio_output": 11 * 10**6}, "source": "s"}
    for name in ("a-tts", "a-tts-2026-01-31"):
        found = genai_media.dearer(row, "p", name, DAY, Counter())
        dear = {"input": 2 * 10**6, "output": 12 * 10**6, "audio_output": 12 * 10**6, "image_input": 3 * 10**6}
        assert found["rates"] == dear
        assert genai.PACKAGE in found["source"] and found["source"].endswith("s")


def test_a_tier_is_no_cheaper_than_the_dearer_base(theirs: Any) -> None:
    theirs("a-image", input_mtok="3", output_mtok="1")
    row = {"rates": {"input": 1, "output": 10**6}, "above": [(9, {"input": 2, "output": 10**7})], "source": "s"}
    found = genai_media.dearer(row, "p", "a-image", DAY, Counter())
    assert found["above"] == [(9, {"input": 3 * 10**6, "output": 10**7})]


@pytest.mark.parametrize("name", ["a-tts", "no-such"])
def test_where_genai_prices_is_no_dearer_nothing_changes(theirs: Any, name: str) -> None:
    theirs("a-tts", input_mtok="1", output_mtok="1")
    row = {"rates": {"input": 10**6, "output": 10**6}, "source": "s"}
    assert genai_media.dearer(row, "p", name, DAY, Counter()) is row


def joined(monkeypatch: pytest.MonkeyPatch, rows: dict[str, dict[str, Any]], facts: dict[str, str]) -> dict[str, Any]:
    """The row `m` of a provider that chats as `rows` say, and of which LiteLLM says `facts`."""
    monkeypatch.setitem(media.MAP["models"], "there", {"m": facts})
    sheets._add_media(rows, "groq", Sources(litellm=(("there", ""),)), DAY, Counter())
    return rows["m"]


def test_a_model_that_also_chats_has_both_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = {"operations": ["chat"], "rates": {"input": 1, "output": 2}, "source": "s"}
    row = joined(monkeypatch, {"m": chat}, entry("audio_transcription", input_cost_per_second="0.0001"))
    assert (row["operations"], row["units"], row["rates"]["output"]) == (
        ["chat", "transcription"],
        {"audio_ms": 10**5},
        2,
    )


def test_a_price_by_the_second_makes_no_words_free(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = {"operations": ["chat"], "note": "no price for audio", "aliases": ["m-1"], "source": "s"}
    row = joined(monkeypatch, {"m": chat}, entry("audio_transcription", input_cost_per_second="0.0001"))
    assert row["operations"] == ["transcription"] and "rates" not in row and "note" not in row
    assert row["aliases"] == ["m-1"]


def test_a_second_price_by_the_token_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = {"operations": ["chat"], "rates": {"input": 1, "output": 2}, "source": "s"}
    row = joined(monkeypatch, {"m": dict(chat)}, entry("rerank", input_cost_per_token="9"))
    assert row == chat


def test_of_two_prices_by_the_unit_the_dearer_counts() -> None:
    row = {"units": {"page": 5, "page/annotated": 6}}
    sheets._raise_units(row, {"units": {"page": 7, "page/annotated": 4, "search": 1}})
    assert row == {"units": {"page": 7, "page/annotated": 6, "search": 1}}
    by_tokens = {"rates": {"input": 1}}
    sheets._raise_units(by_tokens, {"units": {"page": 7}})
    assert by_tokens == {"rates": {"input": 1}}


def test_a_snapshot_keeps_prices_of_media_with_a_page_and_no_other_tiers() -> None:
    facts = entry("ocr", litellm_provider="mistral", ocr_cost_per_page="0.001", ocr_cost_per_page_batches="0.0005")
    found = {"a": facts, "b": {**facts, "source": ""}, "c": {**facts, "mode": "chat"}, "d": {"mode": "ocr"}}
    kept = orjson.loads(snapshot.kept_media(found, "1", DAY))["models"]["mistral"]
    assert kept == {"a": entry("ocr", ocr_cost_per_page="0.001")}
