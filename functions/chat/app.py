"""`POST /chat/completions` and `/completions`: streams."""

from orrery.edge.families import family
from orrery.edge.streaming import door

app = family("chat")
handler = door(app)
