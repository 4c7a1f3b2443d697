"""Running Ratchet on several machines: image, compose file, manifests; see README.md."""
