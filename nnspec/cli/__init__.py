"""Command-line interface. Each command wraps the Python API in a module that is imported only when the command runs."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

# pydantic searches every installed package for its plug-ins. nnspec uses none, and the search takes 15 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import nnspec
from nnspec.diagnostics import NnspecError, SpecError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["main"]

_SIGPIPE = 141
"""The exit status a shell reports for a program killed by SIGPIPE."""

_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF)

_COMMANDS = {
    "init": "write a commented spec, from a template or for your data",
    "validate": "check specs, and report all errors with places and fixes",
    "fmt": "format specs; values and comments are preserved",
    "inspect": "show the layers: output shapes, parameters, MACs, memory",
    "diff": "show semantic changes, and which weights transfer",
    "layers": "list all layers, including plug-ins, or document one",
    "docs": "show the reference of a layer, loss, reader, key or code",
    "objectives": "list the training objectives, or show one",
    "explain": "explain a diagnostic code, or where a value comes from",
    "build": "compile a spec to a graph and to Keras and ONNX models",
    "import": "convert a Keras model to a spec and its weights",
    "verify": "check an exported file, or compare activations",
    "data": "convert data to shards, or show the cache of remote data",
    "train": "train a spec and write a run folder",
    "crossval": "cross-validate: mean and standard deviation of metrics",
    "sweep": "search for the best hyperparameters",
    "evaluate": "compute the metrics of a run on its test set",
    "runs": "list runs: status, epochs, metrics of the best epoch",
    "compare": "compare runs: metrics, curves, and what differs",
    "report": "write an HTML report of a run: curves, metrics, errors",
    "predict": "predict with a run or an ONNX model",
    "serve": "serve ONNX models over HTTP, with a demo page",
    "package": "package a model for a server, or a training for a cluster",
    "generate": "generate sequences or images with a run or an ONNX model",
    "lsp": "serve editors over the Language Server Protocol",
    "schema": "print the JSON Schema of specs, for editors",
    "doctor": "check which dependencies are installed and work",
    "export": "export a run to ONNX and verify parity with Keras",
    "convolutionalize": "convert a classifier to a fully convolutional network",
}


_GROUPS = {
    "Author": ("init", "validate", "fmt", "diff", "import", "data"),
    "Train": ("train", "crossval", "sweep"),
    "Look": (
        "inspect",
        "explain",
        "docs",
        "layers",
        "objectives",
        "evaluate",
        "runs",
        "compare",
        "report",
        "predict",
        "generate",
        "verify",
    ),
    "Deploy": ("export", "build", "convolutionalize", "package", "serve"),
    "Environment": ("doctor", "schema", "lsp"),
}
"""The commands by what they are for, in the order of the help."""


class _Commands(click.Group):
    """Command group that imports command modules lazily and reports user errors as text with an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for names in _GROUPS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        with _no_collection():
            command: click.Command = import_module(f"nnspec.cli.{cmd_name}_command").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        widest = max(map(len, _COMMANDS))
        for title, names in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), _COMMANDS[name]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command; click would import all of them for their help."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=_COMMANDS[name]) for name in names] or super().shell_complete(ctx, incomplete)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS:
            from nnspec.types import closest

            if suggestion := closest(args[0], _COMMANDS):
                ctx.fail(f"no such command '{args[0]}'; did you mean '{suggestion}'?")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        if sys.stdout is None:
            from nnspec.cli.text import ClosedOutput

            sys.stdout = ClosedOutput()
        with report_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with report_errors():
            return super().invoke(ctx)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Do not collect garbage: imports make many objects and no garbage."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def report_errors() -> Iterator[None]:
    """Report user errors as text with an exit status."""
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
        raise click.exceptions.Exit(_report_unexpected(error)) from None


def _report_unexpected(error: Exception) -> int:
    """Report an error that is not a user error and return the exit status."""
    from nnspec.cli.text import discard_output, echo, echo_error

    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        discard_output(err=False)  # click writes its own help and version without `echo`
        if error.errno == errno.EPIPE:
            return _SIGPIPE
        echo_error(f"cannot write to standard output: {error.strerror}")
        return 1
    if os.environ.get("NNSPEC_TRACEBACK"):
        raise error
    echo(
        f"internal error: {type(error).__name__}: {error}\n"
        "  = help: this is a bug in nnspec; please report it with the traceback that NNSPEC_TRACEBACK=1 shows",
        err=True,
    )
    return 70


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(nnspec.__version__, message="nnspec %(version)s")
def main() -> None:
    """Compile neural-network specifications: validate, train, export, and serve models written in YAML.

    \b
    Examples:
      nnspec init --from customers.csv --target churn
      nnspec validate net.nnspec.yaml
      nnspec train net.nnspec.yaml --set train.epochs=3
    """
