"""What `up` and `down` will do, decided from what exists and what is wanted, and its words. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from probe.config.flags import UsageError
from probe.deploy import costs
from probe.deploy.image import ProbeImage
from probe.deploy.options import ALARM_STATUSES, NONE, PLATFORMS, SIDECAR_ADDRESSES, UpOptions
from probe.deploy.placement import Placement
from probe.deploy.repository import Removal, Repository, removals, tag_of
from probe.deploy.stack import Stack
from probe.narration import counted, few, listed, size
from probe.records import Record

MOST_PUSHED = 50  # digests that the stack's parameter holds, of at most 4096 bytes: AWS[cfn-parameter-size]
_RETENTION = 30  # days
_ALARM_PERIODS = (300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)  # seconds, as the template allows
WITHOUT_FLAGS = ("LogRetentionDays", "RecordPullTime", "ScheduleState")
_LONGEST_WITH_ALARMS = 2 * _ALARM_PERIODS[-1]  # seconds between runs; the alarm counts three periods without a verdict
_PLACE = ("Cluster", "SubnetIds", "SecurityGroupIds")  # of what runs by itself
_NOTHING_RUNS = {"ScheduleExpression": "", "AlarmTopicArn": "", "AlarmEmail": "", "Sidecar": "false"}
_ALARMED = {  # verdicts, by the values of AlarmStatuses
    "fail": "fail",
    "fail-or-inconclusive": "fail or inconclusive",
    "not-pass": "other than pass",
}


class Item(Record, frozen=True):
    """A row of the plan: "create", "log group", "/ecs/ecr-probe", "kept for 30 days"."""

    verb: str
    kind: str
    name: str
    note: str = ""


class UpPlan(Record, frozen=True):
    """`first` and `final` are the stack's parameters before and after the push; `first` None: one change set is enough.

    `removes_stack`: what is left of the stack cannot be updated and goes first. `for_once`: the stack is removed again
    after the check, which it is only if `up --once` has created it.
    """

    items: tuple[Item, ...]
    costs: costs.Costs
    first: Mapping[str, str] | None
    final: Mapping[str, str]
    tag: str
    pushes: bool
    creates: bool
    removes_stack: bool
    for_once: bool


class DownPlan(Record, frozen=True):
    items: tuple[Item, ...]
    images: tuple[Removal, ...]
    repository: Repository | None
    removes_repository: bool


def plan_up(
    options: UpOptions,
    placement: Placement,
    image: ProbeImage,
    platform: str,
    repository: Repository | None,
    stack: Stack | None,
    *,
    region: str,
) -> UpPlan:
    """Raises UsageError if something of the same name is not ours."""
    _refuse_foreign(options, stack, region)
    removes_stack = stack is not None and stack.only_deletable
    live = stack if stack is not None and stack.exists else None
    earlier = live  # the stack that has what runs by itself, also if it is removed
    made_repository = live is not None and live.parameters.get("CreateRepository") == "true"
    if made_repository and repository is None:  # down was interrupted after it had removed the repository
        removes_stack, live, made_repository = True, None, False
    if live is not None and live.parameters.get("Repository") != options.repository:
        raise options.arguments.refusal(
            "repository",
            f"stack {options.stack_name} has the repository {live.parameters.get('Repository')}; leave it, or give "
            "another --stack-name (ECR_PROBE_STACK_NAME)",
            example=f"--repository {live.parameters.get('Repository')}",
        )
    is_ours = made_repository or (repository is not None and repository.stack == options.stack_name)
    new = [digest for digest in image.manifests if repository is None or repository.image(digest) is None]
    if new and repository is not None and not is_ours and not options.repository_is_typed:
        raise options.arguments.refusal(
            "repository",
            f"{options.repository} exists and was not created by this stack; name it to push to it, or another",
            example=f"--repository {options.repository}",
        )
    pushes = bool(new) or _lacks_its_tag(image, live, repository)
    pushed = _pushed(options, stack, repository, new)
    standing = _standing(options, earlier, region)
    final = {
        "Repository": options.repository,
        "CreateRepository": "true" if repository is None or made_repository else "false",
        "ImageVersion": f"@{image.digest}",
        "CpuArchitecture": PLATFORMS[platform],
        "VpcCidr": ",".join(placement.vpc_cidrs),
        **standing,
        "Cluster": placement.cluster,
        "SubnetIds": ",".join(placement.subnets),
        "SecurityGroupIds": ",".join(placement.security_groups),
        "RecordPullTime": "true",  # of the probe's own image, on which nothing depends
        "LogGroupName": f"/ecs/{options.stack_name}",
        "LogRetentionDays": str(_RETENTION),
        "PermissionsBoundary": _boundary(options, earlier),
        **_set_by_others(options, earlier),
        "PushedImages": ",".join(pushed),
    }
    first = _before_the_push(final, live) if new else None
    return UpPlan(
        items=tuple(
            _items_of_up(options, placement, image, platform, repository, live, earlier, final, new, removes_stack)
        ),
        costs=_costs(placement, image, platform, standing),
        first=first if first != final else None,
        final=final,
        tag=tag_of(image.digest),
        pushes=pushes,
        creates=live is None,
        removes_stack=removes_stack,
        for_once=options.once and (earlier is None or earlier.is_for_once),
    )


def _boundary(options: UpOptions, earlier: Stack | None) -> str:
    return _wished(options.boundary, earlier.parameters if earlier else {}, "PermissionsBoundary")


def _set_by_others(options: UpOptions, earlier: Stack | None) -> dict[str, str]:
    """The parameters without a flag keep the values that they were given by other means. A schedule that is asked for
    is enabled."""
    before = earlier.parameters if earlier else {}
    names = [name for name in WITHOUT_FLAGS if not (name == "ScheduleState" and options.schedule)]
    return {name: before[name] for name in names if name in before}


def _standing(options: UpOptions, live: Stack | None, region: str) -> dict[str, str]:
    """The parameters of what runs by itself: as wanted, otherwise as the stack has it. Raises UsageError."""
    before = live.parameters if live else {}
    schedule = _wished(options.schedule, before, "ScheduleExpression")
    topic = _wished(options.alarm_topic, before, "AlarmTopicArn")
    email = _wished(options.alarm_email, before, "AlarmEmail")
    sidecar = before.get("Sidecar") == "true" if options.sidecar is None else options.sidecar
    _refuse_impossible(options, schedule=schedule, topic=topic, email=email, sidecar=sidecar, region=region)
    return {
        "ScheduleExpression": schedule,
        "AlarmTopicArn": topic,
        "AlarmEmail": email,
        "AlarmStatuses": options.alarm_statuses or before.get("AlarmStatuses") or ALARM_STATUSES[0],
        "AlarmPeriodSeconds": str(_alarm_period(schedule)),
        "Sidecar": "true" if sidecar else "false",
        "SidecarListen": options.sidecar_address or before.get("SidecarListen") or SIDECAR_ADDRESSES[0],
    }


def _wished(option: str | None, before: Mapping[str, str], parameter: str) -> str:
    """A parameter as the flag sets it, otherwise as the stack has it."""
    return before.get(parameter, "") if option is None else option


def _refuse_impossible(
    options: UpOptions, *, schedule: str, topic: str, email: str, sidecar: bool, region: str
) -> None:
    """Raises UsageError for alarms without a fitting schedule, and for settings of what does not run."""
    if (topic or email) and (costs.seconds_between(schedule) or 0) > _LONGEST_WITH_ALARMS:
        raise options.arguments.refusal(
            "schedule",
            f"{schedule} is too rare for the alarms, which report three days without a verdict",
            example="--schedule 'rate(1 day)'",
        )
    for flag, receiver, example in (("alarm-topic", topic, "ARN"), ("alarm-email", email, "oncall@example.com")):
        if receiver and not schedule:
            raise options.arguments.refusal(
                flag,
                f"the alarms are those of the schedule; give --schedule (ECR_PROBE_SCHEDULE) too, or --{flag} {NONE}",
                example=f"--schedule 'rate(15 minutes)' --{flag} {example}",
            )
    if topic and topic.split(":")[3] != region:  # AWS[alarm-topic-region]
        raise options.arguments.refusal(
            "alarm-topic",
            f"the topic is in {topic.split(':')[3]}, and an alarm reaches only topics of its own Region, {region}",
            example=f"--alarm-topic arn:aws:sns:{region}:123456789012:oncall",
        )
    if options.alarm_statuses is not None and not (topic or email):
        raise options.arguments.refusal(
            "alarm-statuses",
            "there is no alarm; give --alarm-email or --alarm-topic too",
            example=f"--schedule 'rate(15 minutes)' --alarm-email oncall@example.com --alarm-statuses "
            f"{options.alarm_statuses}",
        )
    if options.sidecar_address is not None and not sidecar:
        raise options.arguments.refusal(
            "sidecar-listen",
            "there is no sidecar; give --sidecar too",
            example=f"--sidecar --sidecar-listen {options.sidecar_address}",
        )


def _alarm_period(schedule: str) -> int:
    """The shortest period of the stack's alarms that has a run of the schedule; of cron(...) the longest."""
    seconds = costs.seconds_between(schedule) if schedule else 900
    return next((period for period in _ALARM_PERIODS if seconds is not None and period >= seconds), _ALARM_PERIODS[-1])


def _lacks_its_tag(image: ProbeImage, live: Stack | None, repository: Repository | None) -> bool:
    """A push was interrupted after the image and before its tag."""
    stored = repository.image(image.digest) if repository else None
    is_pushed = image.source is not None and image.digest in pushed_images(live)
    return stored is not None and is_pushed and tag_of(image.digest) not in stored.tags


def _is_of_another_stack(image: ProbeImage, repository: Repository | None, final: Mapping[str, str]) -> bool:
    """Its tag is that of a push by `up`, and this stack has no record of one."""
    stored = repository.image(image.digest) if repository else None
    has_our_tag = stored is not None and tag_of(image.digest) in stored.tags
    return has_our_tag and image.digest not in final["PushedImages"].split(",")


def _refuse_foreign(options: UpOptions, stack: Stack | None, region: str) -> None:
    if stack is None:
        return
    if not stack.is_ours:
        raise options.arguments.refusal(
            "stack-name",
            f"stack {stack.name} exists and was not created by ecr-probe up; choose another name",
            example=f"--stack-name {stack.name}-2",
        )
    if stack.is_stuck:
        raise UsageError(
            f"stack {stack.name} is {stack.status}; continue its rollback first: "
            f"aws cloudformation continue-update-rollback --region {region} --stack-name {stack.name}"
        )


def _pushed(
    options: UpOptions, stack: Stack | None, repository: Repository | None, new: Sequence[str]
) -> tuple[str, ...]:
    """The digests of all images that we pushed and that exist, the new ones first; also those of a stack that goes."""
    earlier = [digest for digest in pushed_images(stack) if repository is not None and repository.image(digest)]
    digests = tuple(dict.fromkeys((*new, *earlier)))
    if len(digests) > MOST_PUSHED:
        raise UsageError(
            f"stack {options.stack_name} has pushed {counted(len(digests), 'image')}, more than it can record; "
            f"remove the earlier ones with ecr-probe down --stack-name {options.stack_name}"
        )
    return digests


def pushed_images(stack: Stack | None) -> tuple[str, ...]:
    return tuple(filter(None, (stack.parameters.get("PushedImages", "") if stack else "").split(",")))


def _before_the_push(final: Mapping[str, str], live: Stack | None) -> dict[str, str]:
    """What runs by itself needs the image. Until it is there, an existing stack keeps what it runs, and a new one runs
    nothing; but it records what will be pushed, so that an interrupted push can be removed."""
    if live is None:
        return {**final, **_NOTHING_RUNS}
    return {**final, **{key: value for key, value in live.parameters.items() if key in final and key != "PushedImages"}}


def _costs(placement: Placement, image: ProbeImage, platform: str, standing: Mapping[str, str]) -> costs.Costs:
    monthly: dict[str, float | None] = {f"{size(image.size)} in ECR": costs.storage(image.size)}
    schedule = standing["ScheduleExpression"]
    if schedule:
        number = costs.runs_of_schedule(schedule)
        monthly["the schedule"] = None if number is None else costs.runs(number, platform)
    if standing["AlarmTopicArn"] or standing["AlarmEmail"]:
        monthly["the alarms"] = costs.alarms()
    if standing["Sidecar"] == "true":
        monthly["the sidecar"] = costs.sidecar(platform)
    return costs.Costs(
        monthly=monthly, run=costs.runs(len(placement.subnets), platform) if placement.on_fargate else 0.0
    )


# ---- words of up -----------------------------------------------------------------------------------------------------


def _items_of_up(
    options: UpOptions,
    placement: Placement,
    image: ProbeImage,
    platform: str,
    repository: Repository | None,
    live: Stack | None,
    earlier: Stack | None,
    final: Mapping[str, str],
    new: Sequence[str],
    removes_stack: bool,
) -> Iterator[Item]:
    verb = "update" if live else "create"
    if removes_stack:
        note = "its repository was removed; its log group goes too, with all verdicts"
        yield Item("remove", "stack", options.stack_name, note if earlier else "what is left of an earlier try")
    yield Item(verb, "stack", options.stack_name, "" if live is None else "as far as something has changed")
    if final["CreateRepository"] == "true":
        yield Item("keep" if repository else "create", "repository", options.repository)
    else:
        is_ours = repository is not None and repository.stack == options.stack_name
        note = "an earlier stack has created it" if is_ours else "it is not the stack's, and down leaves it"
        yield Item("keep", "repository", options.repository, note)
    what = f"{listed(image.platforms)}, {size(image.size)}"
    if new:
        yield Item(
            "push", "image", image.digest[:19], f"{what}, from {image.origin}, with the tag {tag_of(image.digest)}"
        )
    else:
        note = "is in the repository"
        if _is_of_another_stack(image, repository, final):
            note += "; another stack has pushed it, and removes it with ecr-probe down"
        yield Item("keep", "image", image.digest[:19], f"{what}, {note}")
    if live is None:
        yield Item("create", "roles", "", _limits_of_roles(final))
        yield Item("create", "log group", final["LogGroupName"], f"verdicts are kept for {_RETENTION} days")
    same = live is not None and (live.parameters.get("ImageVersion"), live.parameters.get("CpuArchitecture")) == (
        final["ImageVersion"],
        final["CpuArchitecture"],
    )
    yield Item("keep" if same else verb, "task definition", "ecr-probe-smoke", f"for {platform}")
    yield from _standing_items(live.parameters if live else {}, final)
    where = f"of service {placement.service}" if placement.service else f"({few(placement.subnets)})"
    yield Item(
        "run",
        "check",
        "",
        f"in {counted(len(placement.subnets), 'subnet')} {where}, cluster {placement.cluster}; "
        f"the VPC has {listed(placement.vpc_cidrs)}",
    )


def _standing_items(before: Mapping[str, str], final: Mapping[str, str]) -> Iterator[Item]:
    """What runs by itself: the schedule, its alarms, the sidecar. Its name and its parts are empty where it is not."""
    moves = bool(before) and any(before.get(name) != final[name] for name in _PLACE)
    to_there = f"it moves to {_where(final)}" if moves else ""
    for kind, parts_of, note in (
        ("schedule", _parts_of_schedule, to_there or "on Fargate, in one of the subnets at a time"),
        ("alarms", _parts_of_alarms, _note_of_alarms(before, final)),
        ("sidecar", _parts_of_sidecar, "; ".join(filter(None, (to_there, _note_of_sidecar(final))))),
    ):
        earlier, now = parts_of(before), parts_of(final)
        if earlier or now:
            changes = earlier != now or (moves and kind != "alarms")
            verb = "create" if not earlier else "remove" if not now else "update" if changes else "keep"
            yield Item(verb, kind, (now or earlier)[0], note if now else "")


def _parts_of_schedule(parameters: Mapping[str, str]) -> tuple[str, ...]:
    schedule = parameters.get("ScheduleExpression", "")
    return (schedule,) if schedule else ()


def _parts_of_alarms(parameters: Mapping[str, str]) -> tuple[str, ...]:
    topic, email = parameters.get("AlarmTopicArn", ""), parameters.get("AlarmEmail", "")
    receivers = listed(filter(None, (topic.rpartition(":")[2], email)))
    return (receivers, topic, parameters.get("AlarmStatuses", ALARM_STATUSES[0])) if receivers else ()


def _parts_of_sidecar(parameters: Mapping[str, str]) -> tuple[str, ...]:
    address = parameters.get("SidecarListen", SIDECAR_ADDRESSES[0])
    return ("", address) if parameters.get("Sidecar") == "true" else ()


def _note_of_alarms(before: Mapping[str, str], final: Mapping[str, str]) -> str:
    email = final["AlarmEmail"]
    confirms = "; SNS asks the address to confirm first" if email and email != before.get("AlarmEmail", "") else ""
    seconds = 3 * int(final["AlarmPeriodSeconds"])
    silence = f"{seconds // 3600} hours" if seconds >= 7200 else f"{seconds // 60} minutes"
    return f"of verdicts {_ALARMED[final['AlarmStatuses']]}, and of {silence} without a verdict{confirms}"


def _note_of_sidecar(final: Mapping[str, str]) -> str:
    who = (
        "its own task only"
        if final["SidecarListen"] == SIDECAR_ADDRESSES[0]
        else "everyone whom its security groups let in, without a login"
    )
    return f"a service of one task on Fargate; its page and metrics are for {who}"


def _limits_of_roles(final: Mapping[str, str]) -> str:
    boundary = final["PermissionsBoundary"].rpartition("/")[2]
    return "one for the check, one that pulls its image" + (f", with the boundary {boundary}" if boundary else "")


def _where(final: Mapping[str, str]) -> str:
    return f"{few(final['SubnetIds'].split(','))} in cluster {final['Cluster']}"


def up_lines(plan: UpPlan, *, title: str, once: bool, remove_with: str, width: int) -> list[str]:
    lines = [title, "", *_rows(plan.items, width), ""]
    monthly, run = plan.costs.sum, plan.costs.run
    of_run = f"this run {costs.dollars(run)}" if run else "this run nothing, as it uses instances that you have"
    unknown = "".join(f", and {part} by its runs" for part, price in plan.costs.monthly.items() if price is None)
    priced = [part for part, price in plan.costs.monthly.items() if price is not None]
    stays = f"what stays {costs.dollars(monthly)} a month ({listed(priced)}{unknown})"
    sums = of_run if plan.for_once else f"{of_run}, {stays}"
    lines += textwrap.wrap(f"Costs: {sums}, at prices of {costs.PRICES_OF}.", width, break_on_hyphens=False)
    if plan.for_once:
        return [*lines, "Everything is removed again after the verdict.", ""]
    if once:
        kept = "The stack was there before this run, so it stays also with --once."
        lines += textwrap.wrap(kept, width)
    return [*lines, f"Remove it with: {remove_with}", ""]


# ---- down ------------------------------------------------------------------------------------------------------------


def plan_down(stack: Stack, repository: Repository | None) -> DownPlan:
    """Only for a stack of ours."""
    images = removals(repository, pushed_images(stack)) if repository else ()
    made = stack.parameters.get("CreateRepository") == "true" and not stack.in_review
    made = made or (repository is not None and repository.stack == stack.name)
    whole = {removal.image.digest for removal in images if removal.whole}
    others = [image for image in repository.images if image.digest not in whole] if repository else []
    removes_repository = made and repository is not None and not others
    return DownPlan(
        items=tuple(_items_of_down(stack, repository, images, made=made, others=len(others))),
        images=images,
        repository=repository,
        removes_repository=removes_repository,
    )


def _items_of_down(
    stack: Stack, repository: Repository | None, images: Sequence[Removal], *, made: bool, others: int
) -> Iterator[Item]:
    roots = [removal for removal in images if tag_of(removal.image.digest) in removal.image.tags]
    parts = len([removal for removal in images if removal.whole and removal not in roots])
    for removal in roots:
        of_platforms = f"with {counted(parts, 'manifest')} of its platforms" if parts else ""
        if removal.whole:
            yield Item("remove", "image", removal.image.digest[:19], of_platforms)
        else:
            note = f"its tag {tag_of(removal.image.digest)} is removed; it also has the tag {few(removal.foreign_tags)}"
            yield Item("keep", "image", removal.image.digest[:19], note)
    if not roots and parts:
        yield Item("remove", "images", str(parts), "of a push that was interrupted")
    if repository is not None:
        reason = f"it has {counted(others, 'image')} that up did not push" if made else "it is not the stack's"
        yield Item(
            "remove" if made and not others else "keep",
            "repository",
            repository.name,
            "" if made and not others else reason,
        )
    note = "it is empty" if stack.in_review else "its roles, its log group with all verdicts, its task definitions"
    yield Item("remove", "stack", stack.name, note)


def down_lines(plan: DownPlan, *, title: str, width: int) -> list[str]:
    return [title, "", *_rows(plan.items, width), ""]


# ---- rows ------------------------------------------------------------------------------------------------------------


def _rows(items: Sequence[Item], width: int) -> Iterator[str]:
    verbs, kinds = (max(map(len, column)) for column in ([i.verb for i in items], [i.kind for i in items]))
    indent = " " * (2 + verbs + 2 + kinds + 2)
    for item in items:
        start = f"  {item.verb.ljust(verbs)}  {item.kind.ljust(kinds)}  "
        text = "  ".join(filter(None, (item.name, item.note)))
        folded = textwrap.wrap(text, max(width - len(indent), 30), break_long_words=False, break_on_hyphens=False)
        yield f"{start}{folded[0] if folded else ''}".rstrip()
        yield from (f"{indent}{line}" for line in folded[1:])
