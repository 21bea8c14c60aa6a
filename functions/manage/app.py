"""Uploads, provider keys, and an answer for routes that nobody serves: buffered."""

from orrery.edge.buffered import door
from orrery.edge.families import manage

app = manage()
handler = door(app)
