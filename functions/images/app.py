"""`POST /images/generations|edits|variations` and `/videos/generations`, `GET /videos/{id}`: large bodies both ways."""

from orrery.edge.families import family
from orrery.edge.streaming import door

app = family("images")
handler = door(app)
