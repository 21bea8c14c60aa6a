"""`POST /embeddings`, `/rerank`, `/moderations`, `/ocr`: large bodies both ways."""

from orrery.edge.families import family
from orrery.edge.streaming import door

app = family("embeddings")
handler = door(app)
