"""The commands `up` and `down`: read everything, print the plan, ask, do it.

The stack is the record of what exists: it is created before the push and lists the digests that will be pushed, and it
is removed last. So after an interruption at any moment the next `up` or `down` finds what there is.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import Protocol

from probe.config.flags import UsageError
from probe.deploy.denials import refusal_of, with_remedy
from probe.deploy.image import ProbeImage, choose_platform, for_push, read_archive, read_image
from probe.deploy.options import DownOptions, UpOptions
from probe.deploy.placement import read_placement
from probe.deploy.plan import DownPlan, UpPlan, down_lines, plan_down, plan_up, up_lines
from probe.deploy.repository import (
    RegistryLogin,
    Repository,
    read_repository,
    remove_images,
    remove_repository,
    source_login,
    tag_of,
)
from probe.deploy.stack import OtherRunError, Stack, StackError, Stacks
from probe.fleet import Fleet
from probe.narration import counted, size
from probe.operator.aws import Account, ApiError
from probe.progress import Progress as Transfer
from probe.records import replace
from probe.registries.client import Registry
from probe.registries.copying import copy
from probe.registries.network import operator_wire
from probe.registries.reference import open_reference
from probe.registries.source import CopyError, Source, StoppedError
from probe.smoke.calls import Calls, EarlyEndError, Workers
from probe.smoke.command import Smoke
from probe.smoke.progress import Progress

USAGE, INCONCLUSIVE = 2, 3
DEFAULT_NAME = "ecr-probe"  # of the stack
FIRST_REPLY = 60.0  # seconds; without a network there is none, and nothing has begun
_SMOKE_SECONDS = 600.0  # as smoke's own default
_DOWN_SECONDS = 1800.0  # of --once


class Console(Protocol):
    """The terminal. `say` and `show` write to stderr."""

    width: int

    def say(self, text: str) -> None:
        """One line of progress."""

    def show(self, lines: list[str]) -> None: ...

    def confirm(self, question: str) -> bool:
        """Raises UsageError if there is no terminal, EarlyEndError on Ctrl-C."""

    def transfer(self) -> Transfer: ...


class _Retries:
    """Reports each temporary error once, so that a wait has its reason."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._reported: set[tuple[str, str]] = set()

    def say(self, error: ApiError) -> None:
        if (error.action, error.code) not in self._reported:
            self._reported.add((error.action, error.code))
            self._console.say(f"{error}; trying again")


class _Changes:
    """What an interruption has to report: the phase, and what exists by now."""

    def __init__(self) -> None:
        self.phase = "reading"
        self.begun = False

    def enter(self, phase: str) -> None:
        self.phase, self.begun = phase, True


_STATES = {
    "change set": "stack {stack} has no new resources yet",
    "stack": "AWS continues with stack {stack}",
    "push": "stack {stack} exists, and the image is pushed in part",
    "check": "stack {stack} and its image exist",
    "images": "stack {stack} exists, its images are removed in part",
    "deletion": "AWS continues to remove stack {stack}",
}


class Up:
    """One run of `up`. `deliver` prints the report of the check and returns its exit code."""

    def __init__(
        self,
        options: UpOptions,
        account: Account,
        workers: Workers,
        *,
        stop: threading.Event,
        console: Console,
        progress: Progress,
        deliver: Callable[[Fleet], int],
        environ: Mapping[str, str],
    ) -> None:
        self._options, self._account, self._workers, self._stop = options, account, workers, stop
        self._console, self._progress, self._deliver, self._environ = console, progress, deliver, environ
        self._calls = _calls(account, workers, options, stop=stop, console=console)
        self._changes = _Changes()
        self._stacks = Stacks(self._calls, options.stack_name, say=console.say, enter=self._changes.enter)
        self._login: RegistryLogin | None = None
        self._for_once = False
        self._lost = False  # another run was faster
        self._names_steps = False  # the error itself
        self._has_created = False

    def run(self) -> int:
        """Returns the exit code; that of a signal is the caller's. Raises UsageError."""
        try:
            code = self._run()
        except EarlyEndError as error:
            self._say_state(str(error))
            code = INCONCLUSIVE
        except UsageError as error:
            if not self._changes.begun:
                raise
            if self._names_steps and not self._is_removed_again:
                raise
            if not self._is_removed_again:
                raise UsageError(f"{error}; {self._next_steps()}") from None
            self._console.say(str(error))
            code = USAGE
        except BaseException:
            if self._is_removed_again:
                self._take_away()
            raise
        if self._is_removed_again:
            code = max(code, self._take_away())
        return code

    @property
    def _is_removed_again(self) -> bool:
        """A stack that was there before the run stays, and so does one that another run has created meanwhile."""
        return self._for_once and self._changes.begun and not self._lost

    def _run(self) -> int:
        with ExitStack() as opened:
            try:
                ready = self._prepare(opened)
                return 0 if ready is None else self._execute(*ready)
            except ApiError as error:
                raise refusal_of(error) from None
            except StoppedError:
                reason = "the run was interrupted" if self._stop.is_set() else _expired(self._options)
                raise EarlyEndError(reason) from None
            except OtherRunError as error:
                self._lost = self._names_steps = True
                raise UsageError(str(error)) from None
            except StackError as error:
                raise UsageError(str(error)) from None
            except CopyError as error:
                raise UsageError(with_remedy(str(error), str(error))) from None

    # ---- reading -----------------------------------------------------------------------------------------------------

    def _prepare(self, opened: ExitStack) -> tuple[UpPlan, ProbeImage] | None:
        """Only read, print the plan and ask. None: nothing is to be done."""
        options, calls = self._options, self._calls
        image = self._read_archive(opened)
        identity = calls.call("sts:GetCallerIdentity", patience=FIRST_REPLY)
        placement = read_placement(options, calls, region=self._account.region)
        self._account.forget("ec2")
        stack = self._stacks.read_at_rest()
        repository = read_repository(calls, options.repository)
        self._check_log_group(stack)
        if image is None:
            image = self._read_image(opened, repository, stack)
        platform = choose_platform(options, placement, image, stack)
        image = for_push(image, platform)
        plan = plan_up(options, placement, image, platform, repository, stack, region=self._account.region)
        self._console.show(
            up_lines(
                plan,
                title=f"ecr-probe up in account {identity.get('Account')}, {self._account.region}",
                once=options.once,
                remove_with=self._down_command(),
                width=self._console.width,
            )
        )
        if plan.removes_stack and stack is not None:
            self._stacks.require_unprotected(stack, region=self._account.region)
        if options.plan or not _agreed(self._console, options):
            return None
        self._for_once = plan.for_once
        return plan, image

    def _read_archive(self, opened: ExitStack) -> ProbeImage | None:
        """None without --image-archive. It is read before AWS is asked, because its mistakes need no call."""
        if self._options.image_archive is None:
            return None
        with closing(self._console.transfer()) as transfer:
            image = read_archive(self._options.image_archive, self._options.arguments, transfer, self._stop)
        if image.source is not None:
            opened.enter_context(image.source)
        return image

    def _read_image(self, opened: ExitStack, repository: Repository | None, stack: Stack | None) -> ProbeImage:
        options, calls, environ = self._options, self._calls, self._environ
        login = source_login(options.image_from, calls, environ) if options.image_from else None
        image = read_image(options, repository, stack, environ, self._open_stored, self._stop, self._until(), login)
        if image.source is not None:
            opened.enter_context(image.source)
        return image

    def _check_log_group(self, stack: Stack | None) -> None:
        """A log group of this name that the stack has not created would end its creation, and without that of the stack
        no task starts."""
        if stack is not None and (stack.only_deletable or not stack.is_ours):
            return
        name = f"/ecs/{self._options.stack_name}"
        reply = self._calls.call("logs:DescribeLogGroups", logGroupNamePrefix=name)
        there = any(group.get("logGroupName") == name for group in reply.get("logGroups") or ())
        if there and (stack is None or stack.in_review):
            raise self._options.arguments.refusal(
                "stack-name",
                f"log group {name} exists and is not the stack's; choose another name",
                example=f"--stack-name {self._options.stack_name}-2",
            )
        if stack is not None and stack.is_ours and stack.exists and not there:
            raise self._missing(f"log group {name}")

    def _missing(self, resource: str) -> UsageError:
        """CloudFormation does not notice what was removed by hand, so an update does not create it again."""
        name = self._options.stack_name
        self._names_steps = True
        return UsageError(
            f"{resource} of stack {name} was removed by hand, which an update of the stack does not repair; "
            f"{self._down_command()} removes the stack, and then up creates it again"
        )

    def _registry_login(self) -> RegistryLogin:
        self._login = self._login or RegistryLogin(self._calls)
        return self._login

    def _until(self) -> float:
        """The end of the run as an instant of time.monotonic()."""
        return time.monotonic() + self._calls.deadline - self._calls.now()

    def _open_stored(self, repository: Repository, digest: str) -> Source:
        login = self._registry_login()
        host = login.endpoint.removesuffix("/").rpartition("//")[2]
        return open_reference(
            f"{host}/{repository.name}@{digest}",
            login=login,
            environ=self._environ,
            stop=self._stop,
            until=self._until(),
        )

    # ---- doing it ----------------------------------------------------------------------------------------------------

    def _execute(self, plan: UpPlan, image: ProbeImage) -> int:
        if plan.removes_stack and (left := self._stacks.read()) is not None:
            self._stacks.delete(left)
        creates = self._has_created = plan.creates
        if plan.first is not None:
            self._stacks.apply(plan.first, create=creates, for_once=plan.for_once)
            creates = False
        if plan.first is None and plan.pushes:
            self._stacks.apply(plan.final, create=creates, for_once=plan.for_once)
            self._push(plan, image)
        else:
            if plan.pushes:
                self._push(plan, image)
            self._stacks.apply(plan.final, create=creates, for_once=plan.for_once)
        return self._check()

    def _push(self, plan: UpPlan, image: ProbeImage) -> None:
        assert image.source is not None
        self._changes.enter("push")
        login = self._registry_login()
        transfer = self._console.transfer()
        wire = operator_wire(self._environ.get("AWS_CA_BUNDLE"))
        try:
            with Registry(login.endpoint, login, wire=wire, stop=self._stop, until=self._until()) as registry:
                copied = copy(image.source, registry, self._options.repository, tags=[plan.tag], progress=transfer)
        finally:
            transfer.close()
        self._console.say(f"pushed {size(image.size)} to {self._options.repository} ({copied.digest[:19]})")

    def _check(self) -> int:
        self._changes.enter("check")
        definition = self._stacks.resource("SmokeTaskDefinition")
        self._require_definition(definition)
        left = max(self._calls.deadline - self._calls.now(), 1.0)
        smoke = replace(self._options.smoke, task_definition=definition, timeout=min(_SMOKE_SECONDS, left))
        if self._has_created:
            smoke = replace(smoke, roles_are_new=True)
        fleet = Smoke(smoke, self._account, self._workers, stop=self._stop, progress=self._progress).run()
        code = self._deliver(fleet)
        if self._stop.is_set():
            self._say_state("the run was interrupted")
        elif not self._for_once:
            self._console.say(f"run it again: {self._smoke_command(definition)}")
            self._console.say(f"remove it:    {self._down_command()}")
        return code

    def _require_definition(self, arn: str) -> None:
        name = f"task definition {arn.rpartition('/')[2]}"
        try:
            reply = self._calls.call("ecs:DescribeTaskDefinition", taskDefinition=arn)
        except ApiError as error:
            if error.code == "ClientException":  # not registered
                raise self._missing(name) from None
            raise
        if (reply.get("taskDefinition") or {}).get("status") == "INACTIVE":
            raise self._missing(name)

    def _smoke_command(self, definition: str) -> str:
        """As it can be pasted."""
        options, smoke = self._options, self._options.smoke
        where = (
            f"--service {smoke.service}"
            if smoke.service
            else f"--subnets {','.join(smoke.subnets)} --security-groups {','.join(smoke.security_groups)}"
        )
        own = "" if options.stack_name == DEFAULT_NAME else f" --task-definition {definition.rpartition('/')[2]}"
        role = " --as-execution-role" if smoke.as_execution_role else ""
        access = _access(self._account.region, options.profile)
        return f"ecr-probe smoke --cluster {smoke.cluster} {where}{own}{role}{access}"

    # ---- afterwards --------------------------------------------------------------------------------------------------

    def _say_state(self, reason: str) -> None:
        """What exists now, and how to go on."""
        changes = self._changes
        if not changes.begun:
            self._console.say(f"{reason}; nothing was changed")
            return
        state = _STATES[changes.phase].format(stack=self._options.stack_name)
        steps = self._next_steps()
        if self._is_removed_again:
            steps = f"it is removed now; a second Ctrl-C leaves it, and {self._down_command()} removes it then"
        self._console.say(f"{reason}; {state}; {steps}")

    def _next_steps(self) -> str:
        return f"the same command goes on, {self._down_command()} removes it"

    def _down_command(self) -> str:
        return down_command(self._options.stack_name, region=self._account.region, profile=self._options.profile)

    def _take_away(self) -> int:
        """`down`, also after a signal. A second signal ends the process."""
        options = DownOptions(
            stack_name=self._options.stack_name,
            plan=False,
            yes=True,
            timeout=_DOWN_SECONDS,
            region=self._account.region,
            profile=self._options.profile,
            notes=(),
            arguments=self._options.arguments,
        )
        down = Down(
            options,
            self._account,
            self._workers,
            stop=threading.Event(),
            console=self._console,
            begins=self._stacks.may_have_begun,
        )
        try:
            return down.run()
        except UsageError as error:
            self._console.say(str(error))
            return USAGE


class Down:
    """One run of `down`. `begins`: the stack's change set is being executed, also if its status does not show it."""

    def __init__(
        self,
        options: DownOptions,
        account: Account,
        workers: Workers,
        *,
        stop: threading.Event,
        console: Console,
        begins: bool = False,
    ) -> None:
        self._options, self._account, self._console, self._begins = options, account, console, begins
        self._calls = _calls(account, workers, options, stop=stop, console=console)
        self._changes = _Changes()
        self._stacks = Stacks(self._calls, options.stack_name, say=console.say, enter=self._changes.enter)

    def run(self) -> int:
        """Returns the exit code; that of a signal is the caller's. Raises UsageError."""
        try:
            return self._run()
        except EarlyEndError as error:
            state = "nothing was changed"
            if self._changes.begun:
                state = _STATES[self._changes.phase].format(stack=self._options.stack_name)
                state += f"; {self._command()} finishes"
            self._console.say(f"{error}; {state}")
            return INCONCLUSIVE
        except ApiError as error:
            raise UsageError(f"{refusal_of(error)}; {self._command()} tries it again") from None
        except StackError as error:
            raise UsageError(f"{error}; {self._command()} tries it again") from None

    def _run(self) -> int:
        options, console = self._options, self._console
        identity = self._calls.call("sts:GetCallerIdentity", patience=FIRST_REPLY)
        stack = self._stacks.read_at_rest(begins=self._begins)
        if stack is None:
            console.say(
                f"there is no stack {options.stack_name} in {self._account.region}, so there is nothing to remove"
            )
            self._say_orphan()
            return 0
        if not stack.is_ours:
            raise options.arguments.refusal(
                "stack-name",
                f"stack {stack.name} was not created by ecr-probe up, and is left as it is; give the name that up had",
                example=f"--stack-name {stack.name}-2",
            )
        self._stacks.require_unprotected(stack, region=self._account.region)
        repository = read_repository(self._calls, stack.parameters.get("Repository") or options.stack_name)
        plan = plan_down(stack, repository)
        title = f"ecr-probe down in account {identity.get('Account')}, {self._account.region}"
        console.show(down_lines(plan, title=title, width=console.width))
        if options.plan or not _agreed(console, options):
            return 0
        return self._execute(stack, plan)

    def _say_orphan(self) -> None:
        """A stack that was deleted without `down` leaves its repository, and nothing records what was pushed."""
        try:
            repository = read_repository(self._calls, DEFAULT_NAME)
        except ApiError:
            return
        if repository is not None and any(tag_of(image.digest) in image.tags for image in repository.images):
            self._console.say(
                f"repository {repository.name} has images that up has pushed, perhaps for a stack that was deleted by "
                f"hand; aws ecr delete-repository --repository-name {repository.name} --region {self._account.region} "
                "--force removes it with all its images"
            )

    def _execute(self, stack: Stack, plan: DownPlan) -> int:
        self._changes.enter("images")
        if plan.repository is not None:
            left = remove_images(self._calls, plan.repository, plan.images)
            for digest, reason in left.items():
                self._console.say(f"image {digest[:19]} is left: {reason}")
            removed = [removal for removal in plan.images if removal.whole and removal.image.digest not in left]
            if removed:
                self._console.say(f"removed {counted(len(removed), 'image')}")
            if plan.removes_repository:
                gone = remove_repository(self._calls, plan.repository.name)
                name = f"repository {plan.repository.name}"
                self._console.say(f"removed {name}" if gone else f"{name} is left: it has other images")
        self._stacks.delete(stack)
        self._console.say(f"removed stack {stack.name}")
        return 0

    def _command(self) -> str:
        return down_command(self._options.stack_name, region=self._account.region, profile=self._options.profile)


def _calls(
    account: Account,
    workers: Workers,
    options: UpOptions | DownOptions,
    *,
    stop: threading.Event,
    console: Console,
) -> Calls:
    """Those of one run, until --timeout."""
    return Calls(
        account,
        workers,
        deadline=workers.now() + options.timeout,
        expired=_expired(options),
        stop=stop,
        on_retry=_Retries(console).say,
    )


def _expired(options: UpOptions | DownOptions) -> str:
    return f"--timeout ({options.timeout:g} s) expired"


def _agreed(console: Console, options: UpOptions | DownOptions) -> bool:
    if options.yes or console.confirm("Go ahead? [y/N] "):
        return True
    console.say("nothing was changed")
    return False


def down_command(stack_name: str, *, region: str, profile: str | None) -> str:
    """As it can be pasted."""
    name = "" if stack_name == DEFAULT_NAME else f" --stack-name {stack_name}"
    return f"ecr-probe down{name}{_access(region, profile)}"


def _access(region: str, profile: str | None) -> str:
    return f" --region {region}" + (f" --profile {shlex.quote(profile)}" if profile else "")
