"""`POST /audio/speech`, `/audio/transcriptions`, `/audio/translations`: streams bytes and events."""

from orrery.edge.families import family
from orrery.edge.streaming import door

app = family("audio")
handler = door(app)
