"""The KMS key that encrypts a repository: whether ECR can use it. AWS[ecr-kms-grants]"""

from __future__ import annotations

import json
from typing import Any

from probe.configuration.document import question
from probe.configuration.operations import KEY, KEY_GRANTS, KEY_POLICY, REPOSITORIES
from probe.configuration.view import View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.policy import Document, PolicyKind, evaluate
from probe.gates.policy_changes import EnableKey, put_key_policy, without_statement
from probe.gates.policy_opinion import opinion_of
from probe.gates.request_context import request_of
from probe.model import GateAnswer, GateName
from probe.records import replace

_ENABLED = ("Enabled", "Updating")


def key(view: View, call: Call) -> Opinion | None:
    """Whether the key is enabled and granted to ECR; None where the repository has no key of KMS."""
    if call.repository is None or call.action != "ecr:BatchGetImage":
        return None
    region = None if call.region == view.configuration.region else call.region
    asked = {"repositoryNames": [call.repository], **({"registryId": call.owner} if call.owner else {})}
    repositories = view.items(REPOSITORIES, region, **asked)
    encryption = repositories[0].get("encryptionConfiguration", {}) if repositories else {}
    identity = encryption.get("kmsKey")
    if not str(encryption.get("encryptionType", "")).startswith("KMS") or not identity:
        return None
    metadata = view.reply(KEY, region, KeyId=identity)["KeyMetadata"]
    state = str(metadata.get("KeyState"))
    if state not in _ENABLED:
        return refuses(
            GateName.KMS_KEY,
            f"the key of {call.repository} is {state}, so that ECR cannot decrypt its images",
            cause="kms.key",
            identity=identity,
            element=f"KeyState {state}",
            change=EnableKey(object=identity, region=call.region, state=state, elsewhere=region)
            if state in ("Disabled", "PendingDeletion")
            else None,
        )
    if metadata.get("KeyManager") == "AWS":
        return allows(GateName.KMS_KEY, f"the key of {call.repository} is one of AWS's and enabled", identity)
    grants = view.items(KEY_GRANTS, region, KeyId=identity)
    denial = _denial(view, call, identity, region)
    if denial is not None:
        return denial
    decrypting = [grant for grant in grants if "Decrypt" in grant.get("Operations", ())]
    own = next((grant for grant in decrypting if _is_of_ecr(grant, call)), None)
    if own is not None:
        sentence = f"a grant lets ECR decrypt with the key of {call.repository}"
        return allows(GateName.KMS_KEY, sentence, identity, own.get("GrantId"))
    if decrypting:
        sentence = f"the key has grants to decrypt, but none that is known to be ECR's for {call.repository}"
        return depends(GateName.KMS_KEY, sentence, identity)
    return refuses(
        GateName.KMS_KEY,
        f"no grant of the key of {call.repository} lets ECR decrypt with it",
        cause="kms.key",
        identity=identity,
        element="Grants",
    )


def _denial(view: View, call: Call, identity: str, region: str | None) -> Opinion | None:
    """The opinion where the key's policy denies, or may deny, what the grants allow. AWS[explicit-deny]"""
    whose = f"the policy of the key of {call.repository}"
    text = view.reply(KEY_POLICY, region, KeyId=identity, PolicyName="default")["Policy"]
    decrypt = replace(call, action="kms:Decrypt", resource=identity, principal=None, by_ecr=True, vpc_endpoint=None)
    ruling = evaluate(
        [Document.of(whose, text)], request_of(view, decrypt), PolicyKind.RESOURCE, allowed_elsewhere=True
    )
    if ruling.answer is GateAnswer.ALLOWS:
        return None
    change = None
    if ruling.answer is GateAnswer.REFUSES:
        # ECR's own principal cannot be exempted by name.
        asked = question(KEY_POLICY, {"KeyId": identity, "PolicyName": "default"}, region)
        change = put_key_policy(asked, without_statement(text, ruling.index or 0), identity, call.region)
    return opinion_of(ruling, GateName.KMS_KEY, decrypt, identity, whose=whose, cause="kms.key", change=change)


def _is_of_ecr(grant: dict[str, Any], call: Call) -> bool:
    """By the grantee, or by the encryption context, which has the repository's ARN."""
    grantee = f"{grant.get('GranteePrincipal', '')} {grant.get('GranteeServicePrincipal', '')}"
    return call.resource in json.dumps(grant.get("Constraints", {})) or "ecr." in grantee or call.resource in grantee
