"""The local embedder as a server and a child."""
