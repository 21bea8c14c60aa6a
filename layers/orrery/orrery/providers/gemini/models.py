"""What each Gemini model takes of thinking, sampling and candidates, by its name.

Sources, read 2026-11-21: Google's "Thinking" (docs.cloud.google.com/gemini-enterprise-agent-platform/models/thinking)
and developer guides of Gemini 3.6 and 4; on ai.google.dev "Gemini thinking", "OpenAI compatibility" and "What's new in
Gemini 3.6 Flash". That 3.7 and 3.8 refuse `minimal`: dograh-hq/dograh#689, earendil-works/pi#9455. That 3.6 and later
ignore sampling, to refuse it one day, and that 3.x has no candidates beside the first: ENTERPILOT/GoModel#863.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

LEVELS = ("minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model takes; most of everything else is a 400.

    `budget`: the smallest and largest `thinkingBudget` in tokens (None: it has none); `off`: 0 turns thinking off.
    `levels`: its values of `thinkingLevel`. `sampling`: temperature, top_p and top_k have an effect. `several`: more
    candidates than one, and log probabilities. `signed`: the first function call of a turn must carry a signature.
    """

    budget: tuple[int, int] | None = None
    off: bool = False
    levels: tuple[str, ...] = ()
    sampling: bool = True
    several: bool = True
    signed: bool = False


UNKNOWN = Traits(budget=(0, 2**31 - 1), off=True, levels=LEVELS)
"""A name without a version that we can read (a tuned model, another maker's): its server decides."""

_3 = Traits(levels=LEVELS[:4], several=False, signed=True)
_3_6 = replace(_3, sampling=False)
_3_7 = replace(_3_6, levels=LEVELS[1:4])

MEDIA = ("-image", "-tts", "-audio")
_MEDIA = Traits(several=False)
"""Models that draw or speak: Gemini 3 Pro Image does not insist on signatures; which levels they have differs."""

ROWS: tuple[tuple[tuple[int, int], str, Traits], ...] = (
    ((4, 0), "hydrogen", replace(_3_7, levels=LEVELS[1:])),
    ((3, 7), "", _3_7),
    ((3, 6), "", _3_6),
    ((3, 5), "lite", _3_6),
    ((3, 5), "", _3),
    ((3, 1), "pro", replace(_3, levels=LEVELS[1:4])),
    ((3, 1), "", _3),
    ((3, 0), "pro", replace(_3, levels=("low", "high"))),
    ((3, 0), "", _3),
    ((2, 5), "pro", Traits(budget=(128, 32_768))),
    ((2, 5), "lite", Traits(budget=(512, 24_576), off=True)),
    ((2, 5), "", Traits(budget=(1, 24_576), off=True)),
    ((0, 0), "", Traits()),
)
"""From which version on, and of which family: the first row that fits. Newer ones are taken for the newest."""

_VERSION = re.compile(r"gemini-(?:[a-z]+-)?(\d{1,2})(?:\.(\d{1,2}))?(?![\d.])")
_NEWEST = re.compile(r"gemini-[a-z-]+-latest")
_OTHERS = re.compile(r"gemini-(?:omni|nano|robotics|embedding|exp)")


@lru_cache(maxsize=256)
def traits_of(model: str) -> Traits:
    """What `model` takes; `gemini-flash-latest` and the like follow the newest version."""
    name = model.lower()
    found = _VERSION.search(name)
    if _OTHERS.search(name) or not (found or _NEWEST.search(name)):
        return UNKNOWN
    if any(kind in name for kind in MEDIA):
        return _MEDIA
    version = (int(found[1]), int(found[2] or 0)) if found else (3, 7)
    return next(traits for least, family, traits in ROWS if version >= least and family in name)
