"""The commands. Each is a thin caller of the Python API, in a module of its own that is imported when it is run."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

# pydantic looks through every installed package for plug-ins of its own; we have none, and it takes 15 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import nnspec
from nnspec.diagnostics import NnspecError, SpecError

__all__ = ["main"]

_SIGPIPE = 141
"""The status that a shell reports of a program whose reader has gone."""

_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF)

_COMMANDS = {
    "init": "write a starter spec with comments",
    "validate": "check specs: every error in one pass, with its place and its fix",
    "fmt": "one order of keys and one style, every value and comment kept",
    "inspect": "the table of layers: shapes, parameters, multiply–accumulates",
    "diff": "what changed in meaning between two specs, and which weights carry over",
    "layers": "every layer, built in and of plug-ins; the arguments of one",
    "explain": "what a code means; where a value of a spec came from",
    "build": "write the compiled graph, the Keras model and the ONNX model",
    "import": "write a spec, and its weights, from a Keras model",
    "train": "train a spec into a run folder",
    "crossval": "train once for each fold of the data: the mean and the deviation",
    "sweep": "train with many values, and find those that train best",
    "evaluate": "the test set's figures of a run",
    "report": "a run as one HTML page: curves, figures, errors, what to look at",
    "predict": "predictions of a run or of an ONNX file",
    "serve": "answer over HTTP: the Open Inference Protocol v2, and a page to try a model on",
    "package": "write what Triton, KServe or Docker deploys, with a model card",
    "generate": "sequences of a run or of an ONNX file, token by token",
    "schema": "the JSON Schema of a spec, for editors",
    "doctor": "what is installed, and whether it works",
    "export": "write a run's ONNX model, proven equal",
    "convolutionalize": "make a classifier fully convolutional: any size of picture, an answer for every place",
}


class _Commands(click.Group):
    """Imports the module of the command that is run, and turns errors meant for people into text and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"nnspec.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        from nnspec.types import closest

        suggestion = None if not args or args[0] in _COMMANDS else closest(args[0], _COMMANDS)
        if suggestion:
            ctx.fail(f"no such command '{args[0]}'; did you mean '{suggestion}'?")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        if sys.stdout is None:
            from nnspec.cli.text import ClosedOutput

            sys.stdout = ClosedOutput()
        with _told_of_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _told_of_errors():
            return super().invoke(ctx)


@contextmanager
def _told_of_errors() -> Iterator[None]:
    """Turns errors meant for people into text and a status."""
    try:
        yield
    except (click.exceptions.Exit, click.Abort):
        raise
    except click.ClickException as error:
        from nnspec.printable import terminal_text

        error.message = terminal_text(error.message)  # type: ignore[misc]
        raise
    except SpecError as error:
        from nnspec.cli.text import show

        show(error.diagnostics)
        raise click.exceptions.Exit(1) from None
    except NnspecError as error:
        from nnspec.cli.text import OutputError, echo_error

        if isinstance(error, OutputError) and error.closed:
            raise click.exceptions.Exit(_SIGPIPE) from None
        echo_error(error)
        raise click.exceptions.Exit(1) from None
    except Exception as error:
        raise click.exceptions.Exit(_status_of(error)) from None


def _status_of(error: Exception) -> int:
    """The status of a command that failed by an error that is not meant for people, once it is told."""
    from nnspec.cli.text import discard_output, echo, echo_error

    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        discard_output(err=False)  # click's own help and version do not pass through `echo`
        if error.errno == errno.EPIPE:
            return _SIGPIPE
        echo_error(f"cannot write to standard output: {error.strerror}")
        return 1
    if os.environ.get("NNSPEC_TRACEBACK"):
        raise error
    echo(
        f"internal error: {type(error).__name__}: {error}\n"
        "  = help: this is a bug in nnspec; NNSPEC_TRACEBACK=1 shows where, and a report with it is welcome",
        err=True,
    )
    return 70


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(nnspec.__version__, message="nnspec %(version)s")
def main() -> None:
    """One YAML file is the model: checked, trained, exported, proven equal, served.

    \b
    nnspec validate net.nnspec.yaml
    nnspec train net.nnspec.yaml --set train.epochs=3
    """
