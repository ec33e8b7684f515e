"""The policies of a repository and of its whole registry."""

from __future__ import annotations

from probe.configuration.document import question
from probe.configuration.operations import REGISTRY_POLICY, REPOSITORY_POLICY
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, not_visible
from probe.gates.policy import Document, PolicyKind, Ruling, evaluate
from probe.gates.policy_changes import corrected, set_registry_policy, set_repository_policy
from probe.gates.policy_opinion import opinion_of
from probe.gates.request_context import caller_account, request_of
from probe.model import GateAnswer, GateName


def repository(view: View, call: Call) -> Opinion | None:
    """Whether the repository's policy lets the role in. Within one account a missing Allow is no refusal; across
    accounts it is. AWS[cross-account-both]"""
    if call.repository is None:
        return None
    text = _text(view, call)
    whose = f"the policy of the repository {call.repository}"
    ruling = _ruling(view, call, text, allowed_elsewhere=not call.crosses_accounts)
    if not call.crosses_accounts and ruling.answer is GateAnswer.ALLOWS:
        has = "denies nothing of this pull" if text else "does not exist, and its account needs none"
        return allows(GateName.REPOSITORY_POLICY, f"{whose} {has}", call.resource)
    correction = corrected(text, ruling, call, PolicyKind.RESOURCE)
    return opinion_of(
        ruling,
        GateName.REPOSITORY_POLICY,
        call,
        call.resource,
        whose=whose,
        cause="iam.repository-policy",
        change=set_repository_policy(
            question(REPOSITORY_POLICY, _repository(call), _region(view, call)),
            correction,
            call,
            exists=text is not None,
        )
        if correction
        else None,
    )


def allows_directly(view: View, call: Call) -> str | None:
    """The statement of the repository's policy that allows the role by itself, not through its account."""
    if call.repository is None:
        return None
    ruling = _ruling(view, call, _text(view, call))
    return ruling.statement if ruling.answer is GateAnswer.ALLOWS and not ruling.delegated else None


def registry(view: View, call: Call) -> Opinion | None:
    """Whether the registry's policy denies the call. AWS[ecr-registry-policy]"""
    if call.repository is None or call.owner is None:
        return None
    if caller_account(view) != call.owner:
        return not_visible(GateName.REGISTRY_POLICY, f"the registry {call.owner}", f"account {call.owner}")
    whose = f"the policy of the registry {call.owner}"
    try:
        text = str(view.reply(REGISTRY_POLICY, _region(view, call))["policyText"])
    except MissingError as error:
        if not error.is_absence:
            raise
        return allows(GateName.REGISTRY_POLICY, f"the registry {call.owner} has no policy", call.owner)
    ruling = evaluate([Document.of(whose, text)], request_of(view, call), PolicyKind.RESOURCE, allowed_elsewhere=True)
    if ruling.answer is GateAnswer.ALLOWS:
        return allows(GateName.REGISTRY_POLICY, f"{whose} denies nothing of this pull", call.owner)
    correction = corrected(text, ruling, call, PolicyKind.RESOURCE)
    return opinion_of(
        ruling,
        GateName.REGISTRY_POLICY,
        call,
        call.owner,
        whose=whose,
        cause="iam.registry-policy",
        change=set_registry_policy(question(REGISTRY_POLICY, {}, _region(view, call)), correction, call)
        if correction
        else None,
    )


def _text(view: View, call: Call) -> str | None:
    """The repository's policy; None where it has none. Raises MissingError."""
    try:
        return str(view.reply(REPOSITORY_POLICY, _region(view, call), **_repository(call))["policyText"])
    except MissingError as error:
        if not error.is_absence:
            raise
        return None


def _ruling(view: View, call: Call, text: str | None, *, allowed_elsewhere: bool = False) -> Ruling:
    whose = f"the policy of the repository {call.repository}"
    documents = [] if text is None else [Document.of(whose, text)]
    return evaluate(documents, request_of(view, call), PolicyKind.RESOURCE, allowed_elsewhere=allowed_elsewhere)


def _repository(call: Call) -> dict[str, str]:
    """The parameters that name the repository."""
    return {"repositoryName": call.repository or "", **({"registryId": call.owner} if call.owner else {})}


def _region(view: View, call: Call) -> str | None:
    return None if call.region == view.configuration.region else call.region
