"""
From a machine as it is to a running stack.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stack_check.backends import check_disk, programs
from stack_check.compose import Compose, find_compose
from stack_check.containers import Containers
from stack_check.engine import Engine, NoEngineError, find_engine
from stack_check.ground import InTheWayError, Model
from stack_check.kept import identity
from stack_check.ports import check_ports
from stack_check.processes import Processes
from stack_check.report import say
from stack_check.stand_ins import Images

if TYPE_CHECKING:
    import argparse

    from stack_check.kept import Made


def bring_up(
    made: Made, cache: Path, options: argparse.Namespace
) -> Containers | Processes:
    """
    Return the running stack; what was made for it stands in *made*.
    """
    compose = find_compose()
    check_disk(cache)
    if options.grafana:
        compose = Compose(compose.command, compose.files, ("grafana",))
    model = compose.model()
    why = "asked for"
    if not options.processes:
        try:
            engine = find_engine(Path(made.run))
        except NoEngineError as exc:
            if options.grafana:
                msg = f"Grafana needs a container, and {exc}"
                raise InTheWayError(msg) from None
            why = str(exc)
            say(f"no containers: {why}")
        else:
            return _containers(made, cache, options, compose, engine)
    check_ports(model, without=("grafana",))
    return _processes(made, model, why)


def _containers(
    made: Made,
    cache: Path,
    options: argparse.Namespace,
    compose: Compose,
    engine: Engine,
) -> Containers:
    if engine.pid is not None:
        made.dockerd = identity(engine.pid)
        made.save()
        say(f"Docker {engine.version} is started")
    ground = Containers(compose, engine.version)
    check_ports(ground.model, without=() if options.grafana else ("grafana",))
    images = Images(cache, made)
    if options.grafana:
        image = ground.model["services"]["grafana"]["image"]
        if not images.pull(image):
            msg = f"{image} cannot be pulled here: run scripts/stack without --grafana"
            raise InTheWayError(msg)
    images.provide(ground.model)
    made.containers = True
    made.save()
    ground.build()
    ground.validate()
    try:
        ground.up()
    except BaseException:
        print(ground.tail())
        raise
    return ground


def _processes(made: Made, model: Model, why: str) -> Processes:
    ground = Processes(model, programs(), made, why)
    ground.up()
    return ground


def grafana_not_run(model: Model) -> str:
    image = model["services"]["grafana"]["image"]
    return (
        f"Grafana itself ({image}) was not run: its provisioning was read, and each of "
        "its queries was run. scripts/stack --grafana runs it where it can be pulled."
    )
