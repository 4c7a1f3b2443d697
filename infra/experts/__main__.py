"""`python -m infra.experts`: experts as a child of the process that needs them."""

from __future__ import annotations

import argparse

from infra.experts.app import App
from infra.experts.expert import experts_of
from infra.serving_parent import serve_parent
from trainers.model_types.finding import model_type


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.experts", description=__doc__)
    parser.add_argument("types", nargs="+", help="the model types to be an expert of")

    def app(asked: argparse.Namespace, key: str) -> App:
        return App(experts_of([model_type(name) for name in asked.types]), key)

    serve_parent(parser, app)


if __name__ == "__main__":
    main()
