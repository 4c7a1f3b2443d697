"""The HTTP door of a home: who may come in, what may be said, what can be asked."""
