"""The local embedder as a server of an OpenAI-compatible kind, and as a child of who needs it."""
