"""THE table of flags: it serves the command line, the environment variables and --help.

Here a flag's *text* is found (command line before variable). How a text is read is in `values.py`, what several flags
mean together in `settings.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from probe.report import FLEET_FORMATS, FORMATS, listed

T = TypeVar("T")
PREFIX = "ECR_PROBE_"


class UsageError(Exception):
    """What the user must change: one line that names flag and variable and shows a good value. Exit code 2."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `example` is a good value, "" for a switch; `default` is said in --help.

    `typed` False: only its variable is read. A command line is everybody's to see. `short`: its letter, "v" for -v.
    """

    name: str
    metavar: str
    example: str
    default: str
    help: str | Callable[[], str]  # a function where the text needs what `health` must not import
    many: bool = False
    typed: bool = True
    short: str = ""

    @property
    def switch(self) -> bool:
        return not self.metavar

    @property
    def help_text(self) -> str:
        return self.help if isinstance(self.help, str) else self.help()

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper().replace("-", "_")

    @property
    def opposite(self) -> str:
        return self.name.removeprefix("no-") if self.name.startswith("no-") else f"no-{self.name}"

    def refusal(self, sentence: str, *, given_by: str = "") -> UsageError:
        if not self.typed:
            return UsageError(f"{self.variable}: {sentence}; for example {self.variable}={self.example}")
        good = f"--{self.name} {self.example}" if self.metavar else f"--{self.name} or {self.variable}=true"
        origin = f", here from {given_by}" if given_by else ""
        return UsageError(f"--{self.name} ({self.variable}{origin}): {sentence}; for example {good}")


def _also_help() -> str:
    from probe.config.readers import ALSO

    return f"also reach these endpoints: {', '.join(ALSO)}"


REPORT_FLAGS = (
    Flag(
        "format",
        "F",
        "json",
        "text",
        f"{listed(FORMATS.values())}; each --format may have an --output after it",
        many=True,
    ),
    Flag(
        "output",
        "FILE",
        "verdict.json",
        "stdout",
        "write the report of the --format before it to FILE, atomically",
        many=True,
    ),
    Flag("pretty", "", "", "only on a terminal", "json with line breaks and indentation"),
    Flag("verbose", "", "", "no", "text: every cause, every step and every note", short="v"),
    Flag("quiet", "", "", "no", "text: the verdict line alone", short="q"),
)
FLAGS = (
    Flag(
        "image",
        "REF",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0",
        "the container's own, from the task metadata",
        "the image to pull",
    ),
    Flag("platform", "OS/ARCH", "linux/arm64", "this machine's", "the platform to choose from a multi-arch image"),
    Flag(
        "vpc-cidr",
        "CIDR",
        "10.0.0.0/16",
        "the task's subnet",
        "a range that counts as yours: VPC, secondary, hub",
        many=True,
    ),
    Flag(
        "also",
        "NAME,...",
        "secretsmanager,sts",
        "none",
        _also_help,
        many=True,
    ),
    Flag(
        "endpoint-dns",
        "E=NAME",
        "ecr.api=vpce-0a1b2c3d4e5f60718-abcdefgh.api.ecr.eu-west-1.vpce.amazonaws.com",
        "none",
        "take endpoint E's addresses from an endpoint-specific vpce name",
        many=True,
    ),
    Flag("allow-public", "E,...", "logs", "none", "a public path is accepted at these endpoints", many=True),
    Flag(
        "pull-role",
        "ARN",
        "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "unknown",
        "the role that pulls; compared with the one held",
    ),
    Flag("allow-instance-role", "", "", "no", "credentials may come from instance metadata"),
    Flag("layers", "WHICH", "smallest", "smallest", "smallest, all (the whole pull, in parallel) or none"),
    Flag("layer-bytes", "SIZE", "64MiB", "64MiB", "of a larger layer only so much is read (with --layers smallest)"),
    Flag("deadline", "SECONDS", "30", "30, with --layers all 900", "limit of the whole run, from process start"),
    Flag("connect-timeout", "SECONDS", "3", "3", "limit of one TCP connection"),
    Flag(
        "ca-bundle",
        "FILE",
        "/etc/ssl/certs/ca-certificates.crt",
        "AWS_CA_BUNDLE, else the system's",
        "certificates to trust",
    ),
    Flag("no-controls", "", "", "no", "leave out the control steps, which reach beyond the planned hosts"),
    Flag("strict", "", "", "no", "a degraded verdict exits 1"),
    *REPORT_FLAGS,
)
LISTEN = Flag(
    "listen", "ADDR:PORT", "127.0.0.1:9879", "0.0.0.0:9879", "where serve listens; IPv6 in brackets, or unix:/PATH"
)
TLS_CERTIFICATE = Flag(
    "tls-certificate",
    "FILE",
    "/run/secrets/tls.pem",
    "none, so plain HTTP",
    "serve over TLS with this certificate chain",
    typed=False,
)
SERVE_FLAGS = (
    Flag("interval", "SECONDS", "60", "60", "from one round to the next; a tenth of it is left to chance"),
    LISTEN,
    Flag("compat-blackbox", "", "", "no", "also probe_success and probe_duration_seconds, as blackbox_exporter has"),
    TLS_CERTIFICATE,
    Flag("tls-key", "FILE", "/run/secrets/tls.key", "in the file of the certificate", "its private key", typed=False),
    Flag(
        "basic-auth", "USER:PASSWORD", "prometheus:s3cret-of-yours", "none", "who may read; health is open", typed=False
    ),
)
PUSH_GATEWAY = Flag(
    "push-gateway",
    "URL",
    "https://push.example.com:9091",
    "none",
    "put the run's metrics there too; a path with /metrics/job/... names the group",
)
CHECK_FLAGS = (*FLAGS, PUSH_GATEWAY)
REGION = Flag("region", "REGION", "eu-west-1", "AWS_REGION, else the profile's", "where the cluster is")
PROFILE = Flag("profile", "NAME", "default", "AWS_PROFILE", "whose credentials, of the AWS CLI's files")
SMOKE_FLAGS = (
    Flag("cluster", "NAME", "main", "default", "the cluster, by name or ARN"),
    Flag("task-definition", "NAME", "ecr-probe-smoke", "ecr-probe-smoke", "what runs; NAME:REVISION, or an ARN"),
    Flag(
        "service",
        "NAME",
        "shop",
        "none",
        "run where this service's tasks run: its subnets, security groups, launch type",
    ),
    Flag(
        "subnets",
        "SUBNET,...",
        "subnet-0a1b2c3d4e5f60718",
        "the service's",
        "a task runs in each; with --service, in those of the service that are named",
        many=True,
    ),
    Flag(
        "security-groups",
        "GROUP,...",
        "sg-0a1b2c3d4e5f60718",
        "the service's",
        "those of the tasks whose pulls are to be proven",
        many=True,
    ),
    Flag("assign-public-ip", "", "", "as the service, else no", "the tasks get a public address"),
    Flag("launch-type", "TYPE", "EC2", "as the service, else FARGATE in awsvpc mode", "FARGATE or EC2"),
    Flag("capacity-provider", "NAME", "FARGATE_SPOT", "as the service, else none", "in place of a launch type"),
    Flag("container", "NAME", "ecr-probe", "found by name or image", "the probe's, in the task definition"),
    Flag(
        "as-execution-role",
        "",
        "",
        "no",
        "the task holds the role that pulls: the service's execution role, without --service its own",
    ),
    Flag("timeout", "SECONDS", "600", "600, or what --wait-until-pass needs", "limit of the whole run"),
    Flag("wait-until-pass", "SECONDS", "300", "0", "subnets that do not pass are tried again for so long"),
    Flag(
        "expect",
        "fail:CODE",
        "fail:tcp.silent",
        "none",
        "a drill: exit 0 where every subnet fails with this finding; fail:CODE@SUBNET for one subnet",
        many=True,
    ),
    REGION,
    PROFILE,
    *(flag for flag in FLAGS if flag.name in ("image", "strict", "output", "pretty", "verbose", "quiet")),
    Flag(
        "format",
        "F",
        "junit",
        "text",
        f"{listed(FLEET_FORMATS.values())}; each --format may have an --output after it",
        many=True,
    ),
)
TASK = Flag(
    "task",
    "ARN",
    "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef0123456789abcdef",
    "none",
    "in place of FILE: a task that stopped, whose reasons ecs:DescribeTasks tells",
)
_OF_TEXTS = {
    "image": ("the text's", "the image, where a text does not name it"),
    "vpc-cidr": ("none", "a range that counts as yours: a text tells addresses, and not whose they are"),
    "format": (
        "text",
        f"{listed(FORMATS.values())}; {' and '.join(row.name for row in FORMATS.values() if row.numeric)} need a saved "
        "verdict, since an error text measures nothing; each --format may have an --output after it",
    ),
}
EXPLAIN_FLAGS = (
    TASK,
    PROFILE,
    *(
        replace(flag, default=_OF_TEXTS[flag.name][0], help=_OF_TEXTS[flag.name][1])
        for flag in FLAGS
        if flag.name in _OF_TEXTS
    ),
    *(flag for flag in REPORT_FLAGS if flag.name not in _OF_TEXTS),
)
_EVERY_FLAG = (*CHECK_FLAGS, *SERVE_FLAGS, *SMOKE_FLAGS, *EXPLAIN_FLAGS)


_GOOD_ARGUMENTS = {
    "ecr-probe check": f"--image {FLAGS[0].example}",
    "ecr-probe demo": "healthy",
    "ecr-probe explain": "verdict.json",
    "ecr-probe health": f"--listen {LISTEN.example}",
    "ecr-probe serve": "--interval 60",
    "ecr-probe smoke": "--cluster main --service shop",
}


@dataclass(frozen=True, slots=True)
class Given:
    """The texts that were given, by flag; `reports` keeps --format and --output in the order of the command line."""

    texts: Mapping[str, tuple[str, ...]]
    flags: Mapping[str, Flag]
    by_variable: frozenset[str]
    reports: tuple[tuple[str, str], ...] = ()
    rest: argparse.Namespace = field(default_factory=argparse.Namespace)

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def one(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of a flag, the last one where it stands twice."""
        if name not in self.texts:
            return None
        return self._read(name, self.texts[name][-1], read)

    def many(self, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """The values of a repeatable flag, commas between them, each once."""
        if name not in self.texts:
            return ()
        words = [word.strip() for text in self.texts[name] for word in text.replace("\n", ",").split(",")]
        words = [word for word in words if word]
        if not words and name not in self.by_variable:
            raise self.flags[name].refusal("names nothing")
        return tuple(dict.fromkeys(self._read(name, word, read) for word in words))

    def on(self, name: str) -> bool:
        from probe.config.readers import (
            switch,  # beside it are the words of a check, whose import takes longer than `health`
        )

        return bool(self.one(name, switch))

    def refusal(self, name: str, sentence: str) -> UsageError:
        return self.flags[name].refusal(sentence)

    def _read(self, name: str, text: str, read: Callable[[str], T]) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise self.flags[name].refusal(str(error)) from None


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing and exiting."""

    flags: tuple[Flag, ...] = ()

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _Append(argparse.Action):
    """Collects texts by flag, and --format and --output in one list that keeps their order."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _option: str | None = None) -> None:
        text = str(self.const) if self.const is not None else str(values)
        given: dict[str, list[str]] = namespace.given
        given.setdefault(self.dest, []).append(text)
        if self.dest in ("format", "output"):
            namespace.reports.append((self.dest, text))


_EPILOG = "Every flag has a variable, shown in brackets; flags win. Switches have an opposite, such as --no-strict."


def parser_for(program: str, flags: Sequence[Flag], *, description: str, epilog: str = "") -> _Parser:
    """A parser of `flags`. More arguments may be added; they come back in `Given.rest`."""
    parser = _Parser(
        prog=program,
        description=description,
        epilog=epilog or _EPILOG + _variables_only(flags),
        allow_abbrev=False,
        exit_on_error=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
    )
    parser.flags = tuple(flags)
    for flag in (flag for flag in flags if flag.typed):
        text = f"{flag.help_text} [{flag.variable}; default: {flag.default}]".replace("%", "%%")
        if flag.switch:
            names = [f"-{flag.short}"] if flag.short else []
            names.append(f"--{flag.name}")
            parser.add_argument(*names, dest=flag.name, action=_Append, nargs=0, const="true", help=text)
            opposite = argparse.SUPPRESS
            parser.add_argument(
                f"--{flag.opposite}", dest=flag.name, action=_Append, nargs=0, const="false", help=opposite
            )
        else:
            parser.add_argument(f"--{flag.name}", dest=flag.name, action=_Append, metavar=flag.metavar, help=text)
    return parser


def _variables_only(flags: Sequence[Flag]) -> str:
    told = [
        f"{flag.variable}={flag.metavar} ({flag.help_text}; default: {flag.default})"
        for flag in flags
        if not flag.typed
    ]
    return f" By variable only: {'; '.join(told)}.".replace("%", "%%") if told else ""


def collect(parser: _Parser, argv: Sequence[str], environ: Mapping[str, str]) -> Given:
    """Find every flag's texts: on the command line, else in its variable. An empty variable is as good as none."""
    flags = {flag.name: flag for flag in parser.flags}
    namespace = argparse.Namespace(given={}, reports=[])
    try:
        parser.parse_args(list(argv), namespace)
    except argparse.ArgumentError as error:
        raise _misused(error, flags) from None
    except UsageError as error:
        raise _unrecognised(str(error), flags, program=parser.prog) from None
    texts = {name: tuple(given) for name, given in namespace.given.items()}
    variables = {
        name: (environ[flag.variable].strip(),)
        for name, flag in flags.items()
        if name not in texts and environ.get(flag.variable, "").strip()
    }
    reports = tuple(namespace.reports)
    return Given({**variables, **texts}, flags, frozenset(variables), reports, namespace)


def _misused(error: argparse.ArgumentError, flags: Mapping[str, Flag]) -> UsageError:
    """A flag without a value that it needs, or with one that it does not take."""
    argument = (error.argument_name or "").split("/")[-1]
    name = argument.removeprefix("--")
    flag = next((flag for flag in flags.values() if name in (flag.name, flag.opposite)), None)
    if "ignored explicit argument" in error.message:
        sentence = "a switch takes no value on the command line"
        return flag.refusal(sentence) if flag else UsageError(f"{argument}: {sentence}; for example {argument}")
    return flag.refusal("a value is missing") if flag else UsageError(str(error))


def _unrecognised(message: str, flags: Mapping[str, Flag], *, program: str) -> UsageError:
    from probe.safe_words import quoted  # after a mistake only; `health` imports this module every minute

    words = message.rpartition("unrecognized arguments: ")[2].split() if "unrecognized arguments: " in message else []
    if not words:
        return UsageError(message)
    name = words[0].partition("=")[0]
    near = get_close_matches(name.removeprefix("--"), flags, n=1, cutoff=0.6) if name.startswith("--") else []
    hint = flags[near[0]] if near else None
    if hint is None:
        good = _GOOD_ARGUMENTS.get(program, "")
        return UsageError(f"{quoted(words[0])} is no argument of this command; for example {program} {good}, or --help")
    if not hint.typed:
        return hint.refusal(f"there is no --{hint.name}, since a command line is everybody's to see; set the variable")
    good = f"--{hint.name} {hint.example}".rstrip()
    return UsageError(f"{name!r} is no flag; did you mean --{hint.name} ({hint.variable})? for example {good}")


def misspelt_variables(environ: Mapping[str, str], flags: Sequence[Flag] = _EVERY_FLAG) -> tuple[str, ...]:
    """One sentence for each variable that looks like a slip of the pen; others of that prefix are not ours to judge."""
    known = [flag.variable for flag in flags]
    sentences = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.9)
            sentences += [f"{name} is not a variable of ecr-probe; did you mean {near[0]}?"] if near else []
    return tuple(sentences)
