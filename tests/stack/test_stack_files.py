"""The files of the demo stack, before anything is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from stack_check.compose import FILES, Compose
from stack_check.ground import addresses
from stack_check.provisioning import read_provisioning

ROOT = Path(__file__).parents[2]
MIB = 2**20
OURS = ("shop", "stock", "traffic", "back-ends-ready", "start-here")


@pytest.fixture(params=[(), ("docker-compose.stdout.yml",)], ids=["base", "stdout"])
def model(compose, request):
    bare = Compose(compose.command, (FILES[0], *request.param))
    return bare.model()


@pytest.fixture
def services(model):
    return model["services"]


def test_images_are_pinned(services):
    """
    Each image is one version, and what is built begins with one.
    """
    dockerfile = (ROOT / "demo/Dockerfile").read_text()
    images = [s["image"] for s in services.values() if "demo" not in s["image"]]
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)

    assert len(images) == 6
    for image in images:
        assert re.search(r":v?\d+\.\d+\.\d+(-slim-\w+)?$", image), image


def test_memory(services):
    """
    All containers together may take 1.5 GB, and each has a limit.
    """
    limits = {name: int(service["mem_limit"]) for name, service in services.items()}

    assert sum(limits.values()) <= 1500 * 10**6
    assert min(limits.values()) >= 16 * MIB


def test_ports(services):
    """
    Ports are on the loopback, none twice, and each can be set.
    """
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    variables = set(re.findall(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}:\d+", text))
    ports = [p for service in services.values() for p in service.get("ports", ())]

    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert len({port["published"] for port in ports}) == len(ports) == len(variables)
    for name, default in variables:
        assert f"# {name}={default}\n" in example


def test_containers_may_do_little(services):
    """
    No container has a capability; file systems are read-only but for Grafana's, which
    fetches its plugin; ours are not root.
    """
    dockerfile = (ROOT / "demo/Dockerfile").read_text()
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service.get("read_only", False) == (name != "grafana"), name
        assert service.get("user", "1").partition(":")[0] != "0", name
        assert not service.get("privileged"), name
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["10001:10001"]


def test_no_secrets(services):
    """
    Nothing in the environment of a container is a password, a key or a token.
    """
    for name, service in services.items():
        for variable in service.get("environment", {}):
            assert not re.search("PASS|SECRET|TOKEN|KEY", variable), (name, variable)


def test_health(services):
    """
    Who is waited for to be healthy has a health check, and who ends is waited for to
    end: else ``up --wait`` fails.
    """
    ends = set()
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert services[other].get("healthcheck"), (name, other)
            if how["condition"] == "service_completed_successfully":
                ends.add(other)
    once = {
        name for name, service in services.items() if service.get("restart") == "no"
    }

    assert once <= ends
    assert {"start-here", "back-ends-ready"} <= once


def test_mounted_files_are_there(services):
    """
    A file that is mounted exists: else Docker makes a folder of that name.
    """
    sources = [
        Path(volume["source"])
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume["type"] == "bind"
    ]

    assert len(sources) >= 5
    assert [source for source in sources if not source.exists()] == []


def test_collector(services):
    """
    The Collector's configuration defines what it uses, uses what it defines, listens
    for other containers, and makes no stream of a request's id.
    """
    collector = services["otel-collector"]
    mounts = {volume["target"]: volume["source"] for volume in collector["volumes"]}
    config: dict = {}
    for word in collector["command"]:
        file = Path(mounts[word.partition("=")[2]])
        config = merged(config, yaml.safe_load(file.read_text()))

    for kind in ("receivers", "processors", "exporters"):
        used = {
            n for pipe in config["service"]["pipelines"].values() for n in pipe[kind]
        }
        assert used == set(config[kind]), kind
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    for pipe in config["service"]["pipelines"].values():
        assert pipe["processors"][0] == "memory_limiter"
    for protocol in config["receivers"]["otlp"]["protocols"].values():
        assert protocol["endpoint"].startswith("0.0.0.0:")
    streams = config["exporters"]["otlp_http/logs"]["headers"]["VL-Stream-Fields"]
    assert set(streams.split(",")) <= {"service.name", "service.instance.id"}
    senders = {**config["exporters"]}
    assert senders.pop("prometheus") == {"endpoint": "0.0.0.0:9464"}  # is asked
    for exporter in senders.values():
        assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"


def merged(one, other):
    """
    The Collector's own rule for several files: maps are merged, all else is replaced.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {**one, **other}
        return {key: merged(one.get(key), other.get(key, one.get(key))) for key in keys}
    return other


def test_provisioning_is_whole(model):
    """
    Each reference of Grafana's data sources and dashboard leads to a data source.
    """
    found = read_provisioning(model)

    assert found.problems == []
    assert sorted(found.sources) == ["jaeger", "victorialogs"]
    assert len(found.boards) == 1


def test_ports_move_everywhere(compose):
    """
    A port that is set moves in every link that a browser follows.
    """
    env = {"LOGS_PORT": "19428", "GRAFANA_PORT": "13000", "JAEGER_PORT": "26686"}
    env["TRAFFIC_PORT"] = "18083"
    model = Compose(compose.command, FILES, env=env).model()
    page = model["services"]["jaeger"]["environment"]["PAGE"]
    said = model["services"]["start-here"]["command"][1]
    lines = read_provisioning(model).sources["victorialogs"]["jsonData"]["vmuiUrl"]

    assert "localhost:19428/select/vmui" in page
    assert "localhost:13000/explore" in page
    assert lines == "http://localhost:19428/select/vmui"
    assert re.findall(r"localhost:(\d+)", said) == ["18083", "13000", "26686"]
    assert addresses(model).logs == "http://127.0.0.1:19428"
