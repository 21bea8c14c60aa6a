"""What a mistaken name may have meant: a few known names that are much like it, found within a bounded time."""

from collections.abc import Iterable, Mapping, Sequence

MOST = 3
"""Suggestions."""

LONGEST = 100
"""Characters: nobody mistypes a longer name, and comparing takes time with the square of it."""

TELLING = 8
"""Letters that tell a model when they stand inside its name: `claude-haiku-4-5` in Bedrock's names."""

COMPARED = 100
"""Candidates that are compared letter by letter, less than 0.1 ms each."""

ALIKE = 0.75
"""Twice the letters in common over all letters of both: `gpt-4o-mni` and `gpt-4o-mini` have 0.95."""

BEGINNING = 3
"""Letters that a mistaken name usually has right; only where nothing begins like it are others compared."""


def near(model: str, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """At most three of the models in `known` (names by provider) as `provider/name`, the likeliest first.

    Names with it inside, or else names much like it: of the provider that stands before it, where `known` has that one,
    and else of all. Other providers that have the very name come after the former and before the latter.
    """
    if not model or len(model) > LONGEST:
        return ()
    prefix, slash, rest = model.partition("/")
    wanted = {model.lower(), rest.lower()} - {""}
    same = [f"{provider}/{name}" for provider, names in known.items() for name in names if name.lower() in wanted]
    if slash and prefix in known:
        own = _alike(rest, {prefix: known[prefix]})
        return tuple(dict.fromkeys((*own[: MOST - bool(same)], *same)))[:MOST]
    if same:
        return tuple(same if len(same) <= MOST else _closest(model, same) or same[:MOST])
    return _alike(rest if slash and _closest(prefix, known) else model, known)


def _alike(name: str, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Models whose names are like `name`. Without a slash in it, it is compared with what follows theirs."""
    wanted = name.lower()
    models: dict[str, list[str]] = {}
    for provider, names in known.items():
        for found in names:
            key = found if "/" in name else found.rpartition("/")[2]
            models.setdefault(key.lower(), []).append(f"{provider}/{found}")
    keys = sorted((key for key in models if wanted in key), key=len) if len(wanted) >= TELLING else []
    keys = keys or _closest(wanted, models)
    return tuple(dict.fromkeys(model for key in keys for model in models[key]))[:MOST]


def _closest(wanted: str, candidates: Iterable[str]) -> list[str]:
    """At most three candidates that are much like `wanted`, the likest first."""
    from difflib import get_close_matches

    head, length = wanted[:BEGINNING], len(wanted)
    sized = [name for name in candidates if length <= 2 * len(name) and len(name) <= 2 * length]
    begun = sorted((name for name in sized if name.startswith(head)), key=lambda name: abs(len(name) - length))
    found = get_close_matches(wanted, begun[:COMPARED], MOST, ALIKE)
    if found:
        return found
    sized.sort(key=lambda name: abs(len(name) - length))
    return get_close_matches(wanted, sized[:COMPARED], MOST, ALIKE)
