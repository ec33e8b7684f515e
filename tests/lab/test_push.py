"""`check --push-gateway` to a real Pushgateway: it accepts the metrics, keeps only the last run, and needs a login."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from prometheus_client.parser import text_string_to_metric_families

from tests.lab import faults
from tests.lab.cloud import COMPANY_PUBLIC, REGISTRY, Cloud, Ended
from tests.lab.daemons import Daemon
from tests.lab.images import Layout
from tests.lab.network import ENVIRONMENT

PROGRAM = "prometheus-pushgateway"
PORT = 9091
PASSWORD = "s3cret/of?mine"
LOGIN = "robot:s3cret%2Fof%3Fmine"
GROUP = {"job": "ecr-probe", "repository": "app"}


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """A Pushgateway that requires a login, with TLS and a certificate of its own authority."""

    cloud: Cloud
    trusted: Path  # the certificates of its authority and of the endpoints'

    @property
    def authority(self) -> str:
        return f"{COMPANY_PUBLIC}:{PORT}"

    def check(self, image: Layout, login: str = LOGIN, **variables: str) -> Ended:
        arguments = ("--image", f"{REGISTRY}/{image.reference}", "--vpc-cidr", "10.0.0.0/16", "--format", "json")
        variables = {"ECR_PROBE_PUSH_GATEWAY": f"https://{login}@{self.authority}", **variables}
        command = (sys.executable, "-m", "probe", "check", *arguments, "--ca-bundle", str(self.trusted))
        return self.cloud.in_task(*command, **variables)

    def samples(self, **group: str) -> dict[tuple[str, ...], float]:
        """The values of a group, by metric name and the values of the probe's labels."""
        url = f"https://{self.authority}/metrics"
        text = self.cloud.company.run(
            "curl", "-sS", "--fail", "--cacert", str(self.trusted), "--user", f"robot:{PASSWORD}", url
        )
        values = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = dict(sample.labels)
                instance = labels.pop("instance", None)
                if {name: labels.pop(name, None) for name in group} == group and instance == "":
                    values[(sample.name, *labels.values())] = sample.value
        return values


@pytest.fixture(scope="module")
def pushgateway(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushgateway]:
    if not shutil.which(PROGRAM, path=ENVIRONMENT["PATH"]):
        pytest.skip(f"{PROGRAM} is not installed")
    folder = tmp_path_factory.mktemp("pushgateway")
    authority, trusted = trustme.CA(), folder / "trusted.pem"
    trusted.write_bytes(cloud.ca_bundle.read_bytes() + authority.cert_pem.bytes())
    certificate = authority.issue_cert(COMPANY_PUBLIC)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    hashed = cloud.company.run("htpasswd", "-nbB", "robot", PASSWORD).strip().partition(":")[2]
    (folder / "web.yml").write_text(
        f"tls_server_config: {{cert_file: server.pem, key_file: server.pem}}\nbasic_auth_users: {{robot: '{hashed}'}}\n"
    )
    command = (PROGRAM, f"--web.listen-address={COMPANY_PUBLIC}:{PORT}", f"--web.config.file={folder}/web.yml")
    daemon = Daemon("pushgateway", cloud.company, command, logs=folder)
    try:
        daemon.wait_until_it_listens(PORT)
        yield Pushgateway(cloud, trusted)
    finally:
        daemon.stop()


def test_only_the_last_run_is_kept(cloud: Cloud, image: Layout, pushgateway: Pushgateway) -> None:
    with faults.endpoints_silent(cloud):
        broken = pushgateway.check(image)
    assert (broken.code, broken.err) == (1, "")
    samples = pushgateway.samples(**GROUP)
    assert samples["ecr_probe_pull_success",] == 0
    assert samples["ecr_probe_finding", "tcp.silent", "error"] == 1
    assert ("ecr_probe_last_success_timestamp_seconds",) not in samples
    before = samples["ecr_probe_last_run_timestamp_seconds",]

    healthy = pushgateway.check(image)
    assert (healthy.code, healthy.err) == (0, "")
    samples = pushgateway.samples(**GROUP)
    assert samples["ecr_probe_pull_success",] == 1
    assert ("ecr_probe_finding", "tcp.silent", "error") not in samples
    assert samples["ecr_probe_last_run_timestamp_seconds",] > before
    assert samples["push_failure_time_seconds",] == 0


def test_a_task_that_knows_its_cluster_has_a_group_of_its_own(
    cloud: Cloud, image: Layout, pushgateway: Pushgateway
) -> None:
    ended = pushgateway.check(image, **cloud.variables)
    assert (ended.code, ended.err) == (0, "")
    samples = pushgateway.samples(
        **GROUP, cluster="main", service="app"
    )  # without a service, the family of its task definition
    assert samples["ecr_probe_pull_success",] == 1


def test_a_wrong_login_is_reported_in_one_line_without_it(image: Layout, pushgateway: Pushgateway) -> None:
    ended = pushgateway.check(image, login="robot:wr0ng")
    assert ended.code == 0
    assert ended.err == (
        "ecr-probe: --push-gateway (ECR_PROBE_PUSH_GATEWAY): the run was not pushed: "
        f"{pushgateway.authority} answered 401: Unauthorized\n"
    )
