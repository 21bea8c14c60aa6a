"""Works on responses that were put into the background: one message of the queue at a time."""

from orrery.edge.background import run
from orrery.edge.lambda_schedule import door

handler = door(run)
