"""`/responses` and `/conversations`: models, tools and agents with state; streams."""

from orrery.edge.families import family
from orrery.edge.streaming import door

app = family("responses")
handler = door(app)
