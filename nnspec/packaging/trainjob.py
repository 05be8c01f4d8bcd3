"""A ``TrainJob`` for Kubeflow Trainer, with its runtime ``jax-distributed``: one process on each node.

Source: Kubeflow Trainer, ``trainer.kubeflow.org/v1alpha1``.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

import yaml

from nnspec.diagnostics import NnspecError
from nnspec.packaging.kubernetes import object_name
from nnspec.packaging.training import Machines, Training

PROJECT = "/project"
"""The folder at which the volume with the project is mounted."""

_CLAIM = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SECONDS_TO_SAVE = 120
_COMMAND = """\
# All nodes of a restarted job resume the run; they may have other processors than those before.
if [ -f {run}/run.json ]; then
  exec nnspec train --resume {run} --allow-different{devices}
fi
exec nnspec train {spec} --root {project} --out {run} --backend jax{devices}{settings}
"""


def job(training: Training, machines: Machines, *, image: str, volume: str) -> str:
    """The job as YAML.

    Args:
        training: The training.
        machines: The nodes, of one process each.
        image: The container image, in which ``nnspec[jax]`` is installed.
        volume: The persistent volume claim that contains the project: the spec, its data, and the run.

    Raises:
        NnspecError: If the image or the claim is not a name of one.
    """
    if not image.isprintable() or not image or " " in image or len(image) > 500:
        raise NnspecError(f"`{image[:100]}` is not a container image\n  = help: use a name such as registry.example/nnspec:1")
    if not _CLAIM.fullmatch(volume):
        raise NnspecError(f"`{volume[:100]}` is not a persistent volume claim\n  = help: use its name, such as project")
    resources: dict[str, Any] = {
        **({"cpu": str(machines.cpus)} if machines.cpus else {}),
        **({"memory": f"{machines.memory}Gi"} if machines.memory else {}),
        **({"nvidia.com/gpu": str(machines.gpus)} if machines.gpus else {}),
    }
    # A single process uses one GPU, unless it is asked for more; several use all of theirs.
    devices = f" --devices {machines.gpus}" if machines.nodes == 1 and machines.gpus > 1 else ""
    command = _COMMAND.format(
        run=shlex.quote(f"{PROJECT}/{training.run}"),
        spec=shlex.quote(f"{PROJECT}/{training.place}"),
        project=PROJECT,
        devices=devices,
        settings=training.settings(),
    )
    pod = {
        # A training that is evicted saves a checkpoint.
        "terminationGracePeriodSeconds": _SECONDS_TO_SAVE,
        "volumes": [{"name": "project", "persistentVolumeClaim": {"claimName": volume}}],
        "containers": [{"name": "node", "volumeMounts": [{"name": "project", "mountPath": PROJECT}]}],
    }
    made: dict[str, Any] = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": object_name(training.name)},
        "spec": {
            "runtimeRef": {"name": "jax-distributed"},
            **({"activeDeadlineSeconds": machines.seconds} if machines.seconds else {}),
            "trainer": {
                "image": image,
                "numNodes": machines.nodes,
                "command": ["sh", "-c", command],
                **({"resourcesPerNode": {"requests": resources, "limits": resources}} if resources else {}),
            },
            "runtimePatches": [
                {
                    "manager": "nnspec",
                    "trainingRuntimeSpec": {
                        "template": {
                            "spec": {"replicatedJobs": [{"name": "node", "template": {"spec": {"template": {"spec": pod}}}}]}
                        }
                    },
                }
            ],
        },
    }
    return yaml.dump(made, Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes lines of a shell as such, and equal values twice."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
