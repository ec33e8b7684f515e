"""The commands: what each does, its examples, its flags in groups and its exit codes; and --help, which prints them.

The command line is parsed with the same flags, so that help cannot omit one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from probe.config import flags
from probe.config.flags import Arguments, Flag, collect

VERDICT_CODES = "0 pass or degraded, 1 fail, 2 usage or configuration, 3 inconclusive"


class Positional(NamedTuple):
    """The argument of a command that is no flag. It is optional."""

    metavar: str
    help: str


class Command(NamedTuple):
    """`effect` completes "ecr-probe NAME: ..." in one line. Error messages show the first of `examples`. `groups` are
    the flags by heading."""

    effect: str
    examples: Sequence[str]
    exit_codes: str
    groups: Mapping[str, Sequence[Flag]]
    positional: Positional | None = None

    @property
    def flags(self) -> tuple[Flag, ...]:
        return tuple(flag for group in self.groups.values() for flag in group)


def _check_groups(table: Sequence[Flag]) -> dict[str, list[Flag]]:
    """The flags of a check by heading, each as `table` has it."""
    by_name = {flag.name: flag for flag in table}
    groups = {
        "what to check": flags.TARGET_FLAGS,
        "network and credentials": flags.NETWORK_FLAGS,
        "how to judge": flags.JUDGEMENT_FLAGS,
        "time limits": flags.LIMIT_FLAGS,
        "reports": flags.REPORT_FLAGS,
    }
    return {heading: [by_name[flag.name] for flag in group] for heading, group in groups.items()}


COMMANDS = {
    "check": Command(
        "run the check once and print the verdict",
        (f"check --image {flags.IMAGE.example}", "check --format json --output verdict.json --format text"),
        VERDICT_CODES,
        {**_check_groups(flags.FLAGS), "metrics": [flags.PUSH_GATEWAY]},
    ),
    "demo": Command(
        "run the same check in a simulated VPC, without an AWS account",
        (
            "demo healthy",
            "demo s3-gateway-missing --exit-code",
            "demo --list s3",
            "demo --inspect security-group",
            "demo --serve --drill",
        ),
        f"0 as expected, 1 not as expected, 2 usage, 129, 130 or 143 interrupted; with --exit-code {VERDICT_CODES}",
        {
            "what to show": flags.DEMO_FLAGS,
            "sidecar": flags.DEMO_SERVE_FLAGS,
            **_check_groups(flags.DEMO_CHECK_FLAGS),
        },
        Positional(
            "SCENARIO",
            "the name of a scenario; part of a name, or the code of a finding, lists the scenarios that match; "
            "without it, a healthy and a failing scenario are shown",
        ),
    ),
    "explain": Command(
        "explain a saved verdict, an error text, a stopped task, or the code of a finding",
        ("explain verdict.json", "explain tcp.silent"),
        f"{VERDICT_CODES}; 0 for the page of a code",
        {
            "what to explain": [flags.TASK, flags.INSPECT_TASK, flags.PROFILE],
            "context of an error text": flags.CONTEXT_FLAGS,
            "reports": flags.EXPLAIN_REPORT_FLAGS,
        },
        Positional(
            "FILE",
            "a saved verdict (json), the output of aws ecs describe-tasks, or an error text: an ECS stopped reason, "
            "lines of the agent's log, an error of Docker or containerd; - is standard input; the code of a finding "
            "or cause, such as tcp.silent, prints its page and takes no flags",
        ),
    ),
    "health": Command(
        "check that serve's loop is alive, for the container's health check",
        (f"health --listen {flags.LISTEN.example}",),
        "0 alive, 1 not alive, 2 usage",
        {"sidecar": flags.HEALTH_FLAGS},
    ),
    "serve": Command(
        "run the check periodically as a sidecar, with a page and /metrics",
        ("serve --interval 60s", "serve --listen 127.0.0.1:9879 --format emf"),
        "0 stopped by a signal, 2 usage; while the image is unknown it keeps running, logs the event misconfigured "
        "and tries again in the next round",
        {"sidecar": flags.SERVE_FLAGS, **_check_groups(flags.SIDECAR_CHECK_FLAGS)},
    ),
    "smoke": Command(
        "run the check as an ECS task in each subnet, from outside the VPC, and print one verdict",
        (
            "smoke --cluster main --service shop --as-execution-role",
            "smoke --service shop --wait-until-pass 5m --format junit",
            "smoke --cluster main --service shop --inspect",
        ),
        f"{VERDICT_CODES}; with --expect 0 as expected, 1 not as expected, 3 not known whether as expected",
        {
            "where to run": flags.PLACEMENT_FLAGS,
            "what to run": flags.PROBE_FLAGS,
            "how to judge": flags.OUTCOME_FLAGS,
            "AWS access": flags.ACCOUNT_FLAGS,
            "reports": flags.FLEET_REPORT_FLAGS,
        },
    ),
    "up": Command(
        "create what smoke needs in this account, run it and print one verdict",
        (
            "up --cluster main --service shop --image-archive ecr-probe.tar",
            "up --service shop --plan",
            "up --service shop --image-from example.com/ecr-probe:0.1.0 --once",
        ),
        f"{VERDICT_CODES}, 129, 130 or 143 interrupted",
        {
            "where to run": flags.PLACEMENT_FLAGS,
            "the probe's image": flags.UP_IMAGE_FLAGS,
            "what to create": flags.UP_STACK_FLAGS,
            "before and after": flags.UP_CONSENT_FLAGS,
            "how to judge": flags.UP_OUTCOME_FLAGS,
            "AWS access": flags.UP_ACCOUNT_FLAGS,
            "reports": flags.FLEET_REPORT_FLAGS,
        },
    ),
    "down": Command(
        "remove what up has created, and nothing else",
        ("down", "down --stack-name ecr-probe --plan"),
        "0 removed or nothing to remove, 2 usage or something was not removed, 3 not finished in time, "
        "129, 130 or 143 interrupted",
        {"what to remove": flags.DOWN_STACK_FLAGS, "AWS access": flags.DOWN_ACCOUNT_FLAGS},
    ),
    "inspect": Command(
        "read the VPC's configuration from outside, and name the rule that stops the pull",
        (
            "inspect --cluster main --service shop",
            "inspect --service shop --format markdown",
        ),
        "0 nothing refuses what the pull needs, 1 something does, 2 usage or configuration, 3 it cannot be decided",
        {
            "where the pull starts": flags.INSPECT_FLAGS,
            "AWS access": flags.ACCOUNT_FLAGS,
            "reports": flags.INSPECT_REPORT_FLAGS,
        },
    ),
    "schema": Command(
        "print the JSON Schema of the verdict, or of the document that smoke writes",
        ("schema", "schema fleet"),
        "0, 2 usage",
        {},
        Positional("DOCUMENT", "verdict or fleet [default: verdict]"),
    ),
}


def collect_for(name: str, argv: Sequence[str], environ: Mapping[str, str]) -> Arguments:
    """The texts of a command's flags and variables. Raises UsageError."""
    command = COMMANDS[name]
    positional = command.positional.metavar if command.positional else ""
    return collect(command.flags, argv, environ, positional=positional, example=f"ecr-probe {command.examples[0]}")


# ---- help --------------------------------------------------------------------------------------------------------

_COLUMN = 26  # where the descriptions of flags begin


def overview(width: int) -> str:
    """What `ecr-probe --help` prints, in at most `width` columns."""
    purpose = "Prove that ECS can pull an image from ECR over PrivateLink, and get the exact fix when it cannot."
    lines = [*_wrapped(purpose, width), "", "usage: ecr-probe COMMAND [FLAG ...]", ""]
    for name, command in COMMANDS.items():
        lines += _described(f"    {name}", command.effect, width, column=13)
    lines += ["", *_wrapped("ecr-probe COMMAND --help shows examples and flags; --version prints the version.", width)]
    return "\n".join([*lines, *_wrapped(f"exit codes: {VERDICT_CODES}", width, hang=2)]) + "\n"


def help_of(name: str, width: int) -> str:
    """What `ecr-probe NAME --help` prints, in at most `width` columns."""
    command = COMMANDS[name]
    usage = f"usage: ecr-probe {name}" + (" [FLAG ...]" if command.flags else "")
    usage += f" [{command.positional.metavar}]" if command.positional else ""
    lines = [*_wrapped(sentence(command.effect), width), "", usage, "", "examples:"]
    lines += [f"  ecr-probe {example}" for example in command.examples]
    if command.positional:
        lines += ["", *_described(f"  {command.positional.metavar}", command.positional.help, width)]
    for heading, group in command.groups.items():
        lines += ["", f"{heading}:"]
        for flag in group:
            lines += _described(f"  {_invocation(flag)}", _description(flag), width)
    if any(flag.has_variable for flag in command.flags):
        rule = "Each flag can be set by the variable in brackets; the flag takes precedence."
        if any(flag.switch for flag in command.flags):
            rule += " Switches have an opposite, such as --no-strict."
        lines += ["", *_wrapped(rule, width)]
    if any(flag.metavar == "DURATION" for flag in command.flags):
        lines += _wrapped("A DURATION is 500ms, 30s, 1m or 1h; a number without a unit is in seconds.", width)
    return "\n".join([*lines, "", *_wrapped(f"exit codes: {command.exit_codes}", width, hang=2)]) + "\n"


def sentence(text: str) -> str:
    """A text of the tables as a sentence of its own."""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _invocation(flag: Flag) -> str:
    if not flag.on_command_line:
        return f"{flag.variable}={flag.metavar}"
    value = f"[={flag.metavar}]" if flag.bare else f" {flag.metavar}"
    return f"{f'-{flag.short}, ' if flag.short else ''}--{flag.name}{value}".rstrip()


def _description(flag: Flag) -> str:
    if not flag.has_variable:
        return flag.help_text
    origin = flag.variable if flag.on_command_line else "by variable only"
    return f"{flag.help_text} [{origin}; default: {flag.default_text}]"


def _described(label: str, text: str, width: int, *, column: int = _COLUMN) -> list[str]:
    """`label` and, from `column` on, `text`; below the label where that is too long."""
    indent = " " * column
    lines = _wrapped(indent + text, width, hang=column)
    if len(label) + 2 > column:
        return [label, *lines]
    return [label.ljust(column) + lines[0][column:], *lines[1:]]


def _wrapped(text: str, width: int, *, hang: int = 0) -> list[str]:
    import textwrap  # compiles patterns, which would cost every health check 1 to 2 ms

    return textwrap.wrap(text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False)
