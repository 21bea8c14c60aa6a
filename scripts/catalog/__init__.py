"""Makes the catalog's data: `python -m scripts.catalog [--date DAY] [--out FOLDER] [--refresh]`.

    providers   which of our providers is which of the sources'
    names       genai-prices' ways to name a model, as rules
    kinds       what a model serves, and which names a provider's own API takes
    genai       rows out of the installed genai-prices
    litellm     facts and rows out of LiteLLM's price map, of which `snapshot` keeps what we use
    media       rows out of the same of what answers with no text: pictures, speech, transcripts, pages, ranks
    genai_media what genai-prices says of those
    by_hand     rows that neither has, in a file kept by hand
    sheets      both joined into one sheet for each provider
    index       which provider knows a name that comes without one

Prices are the standard ones in force on DAY (default: today, UTC), in pico-USD per token or per unit; batch, flex,
priority and fast rates are not taken. Where the price depends on what a reply does not say (the hour, the mode of
thinking), the dearest counts. What cannot be charged from what a reply counts gets no price; what is no model for an
`Operation` is left out; the summary counts both, and names the providers that have no price at all.
`sandbox.json` is written by hand and stays as it is.
"""
