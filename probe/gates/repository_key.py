"""The KMS key that encrypts a repository: whether ECR can use it. AWS[ecr-kms-grants]"""

from __future__ import annotations

import json
from typing import Any

from probe.configuration.operations import KEY, KEY_GRANTS, REPOSITORIES
from probe.configuration.view import View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.policy_changes import EnableKey
from probe.model import GateName

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
    grants = [
        grant for grant in view.items(KEY_GRANTS, region, KeyId=identity) if "Decrypt" in grant.get("Operations", ())
    ]
    own = next((grant for grant in grants if _is_of_ecr(grant, call)), None)
    if own is not None:
        sentence = f"a grant lets ECR decrypt with the key of {call.repository}"
        return allows(GateName.KMS_KEY, sentence, identity, own.get("GrantId"))
    if grants:
        sentence = f"the key has grants to decrypt, but none that is known to be ECR's for {call.repository}"
        return depends(GateName.KMS_KEY, sentence, identity)
    return refuses(
        GateName.KMS_KEY,
        f"no grant of the key of {call.repository} lets ECR decrypt with it",
        cause="kms.key",
        identity=identity,
        element="Grants",
    )


def _is_of_ecr(grant: dict[str, Any], call: Call) -> bool:
    """By the grantee, or by the encryption context, which has the repository's ARN."""
    grantee = f"{grant.get('GranteePrincipal', '')} {grant.get('GranteeServicePrincipal', '')}"
    return call.resource in json.dumps(grant.get("Constraints", {})) or "ecr." in grantee or call.resource in grantee
