"""IAM policy documents, evaluated for one request. Pure, bounded, and three-valued: where a value cannot be known, the
answer depends on its key. Nothing is guessed.

IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

from probe.gates.policy.evaluation import Document, PolicyKind, Principal, Request, Ruling, evaluate
from probe.gates.policy.pattern import UNKNOWN_PART
from probe.gates.policy.truth import AwsOwned

__all__ = ("UNKNOWN_PART", "AwsOwned", "Document", "PolicyKind", "Principal", "Request", "Ruling", "evaluate")
