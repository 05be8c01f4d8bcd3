"""``nnspec docs``."""

from __future__ import annotations

import re

import click

from nnspec.cli.reference_text import echo_reference
from nnspec.cli.text import echo, echo_tables, table

_CODE = re.compile(r"(?i)NN\d+")


@click.command("docs")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Show the reference of a layer, function, loss, metric, reader, key, diagnostic code or any other name of the language.

    NAME is a name in a spec, a path such as train.batch_size, an argument such as Adam.learning_rate, or a code. Without NAME,
    list what there is.

    \b
    Examples:
      nnspec docs Conv2D
      nnspec docs SparseCategoricalCrossentropy
      nnspec docs train.early_stopping
      nnspec docs csv.delimiter
      nnspec docs repeat                    (a key of a step, and a function of `Compute`)
      nnspec docs metrics                   (a key, and the list of all metrics)
      nnspec docs NN301
    """
    if name is None:
        _list()
    elif _CODE.fullmatch(name):
        from nnspec.explanations.codes import explain_code

        echo(explain_code(name))
    else:
        echo_reference(name, lists=True)


def _list() -> None:
    from nnspec.functions.catalogue import FUNCTIONS
    from nnspec.layers import LAYERS
    from nnspec.reference.keys import all_keys
    from nnspec.reference.members import GROUPS

    rows = [
        ["layers", str(len(LAYERS.names())), "nnspec docs Conv2D"],
        ["functions", str(len(FUNCTIONS)), "nnspec docs softmax"],
    ]
    rows += [["keys", str(len({key.path for key in all_keys()})), "nnspec docs train.batch_size"]]
    rows += [[group.title.lower(), str(len(group.family.names())), f"nnspec docs {group.names()[0]}"] for group in GROUPS]
    echo_tables(table(["kind", "names", "for example"], rows, right=frozenset({1})))
    echo("\n`nnspec docs losses` lists the losses, and so for each kind;\n`nnspec layers` lists the layers and functions.")
