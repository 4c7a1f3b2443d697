"""`python -m infra.embedder`: the local embedder, as a child of the process that needs it.

Weights that are not the right ones are told to the parent, and never loaded.
"""

from __future__ import annotations

import argparse

from infra.embedder.app import App
from infra.serving_parent import serve_parent
from trainers.embedding.minilm import MiniLM, on_one_thread
from trainers.embedding.weights import MODEL, checked, folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.embedder", description=__doc__)

    def app(_asked: argparse.Namespace, key: str) -> App:
        on_one_thread()
        return App(MiniLM(checked(folder())), MODEL, key)

    serve_parent(parser, app)


if __name__ == "__main__":
    main()
