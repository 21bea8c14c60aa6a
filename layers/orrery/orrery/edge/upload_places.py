"""Where uploads stand, in a bucket or in a folder: which kinds there are, and how they are named."""

import re

SUFFIXES = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/m4a": "m4a",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/webm": "webm",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
"""Kinds of files that requests can name by URL, and the suffix by which providers tell them."""

LIFETIME_S = 15 * 60
"""How long a place waits for its file."""

KEY = re.compile(r"uploads/([0-9A-Za-z_-]{1,64})/([0-9A-Za-z_-]{22})\.([a-z0-9]{1,5})")
"""Where a file stands: its organization, a random name, its suffix."""
