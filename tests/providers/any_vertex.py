"""Any answer of Vertex AI's at all: the Gemini API's dialect."""

from tests.providers.any_google import streams

__all__ = ["streams"]
