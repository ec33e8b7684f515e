"""What --help says of the program and of its commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from probe.config.flags import (
    CHECK_FLAGS,
    EXPLAIN_FLAGS,
    FLAGS,
    LISTEN,
    SERVE_FLAGS,
    SMOKE_FLAGS,
    TLS_CERTIFICATE,
    Flag,
    parser_for,
)


def overview(summaries: Mapping[str, str]) -> str:
    rows = "\n".join(f"    {name:<8} {summary}" for name, summary in summaries.items())
    return (
        "ecr-probe proves that ECS can pull an image from ECR through PrivateLink, or names what is in the way.\n\n"
        f"usage: ecr-probe COMMAND ...\n\n{rows}\n\n"
        "ecr-probe COMMAND --help tells more; --version the version.\n"
        "exit codes: 0 pass or degraded, 1 fail, 2 usage or configuration, 3 inconclusive"
    )


def help_of(name: str, summary: str) -> str:
    flags: dict[str, tuple[Flag, ...]] = {
        "check": CHECK_FLAGS,
        "demo": FLAGS,
        "explain": EXPLAIN_FLAGS,
        "health": (LISTEN, TLS_CERTIFICATE),
        "serve": (*FLAGS, *SERVE_FLAGS),
        "smoke": SMOKE_FLAGS,
    }
    parser = parser_for(f"ecr-probe {name}", flags.get(name, ()), description=summary)
    if name == "explain":
        takes_file(parser)
    elif name == "demo":
        from probe.demo import add_arguments  # the simulator's side of the program, which other commands do without

        add_arguments(parser)
    return parser.format_help()


def takes_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help=(
            "a saved verdict (json), what aws ecs describe-tasks prints, or the text of an error: an ECS stopped "
            "reason, lines of the agent's log, an error of Docker or containerd; - is standard input; or the code of a "
            "finding or a cause, such as tcp.silent, whose page is printed"
        ),
    )
