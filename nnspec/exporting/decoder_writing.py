"""Writes a decoder with what was found of it: one file with the loop inside, or two that are run step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.exporting.decoder_models import DecoderModels
from nnspec.exporting.decoder_proof import DecodingParity
from nnspec.files import write_whole
from nnspec.onnx_backend.proto import sealed

__all__ = ["write_loop", "write_parts"]


def write_loop(models: DecoderModels, path: Path, parity: DecodingParity, check_size: Callable[[int], None]) -> None:
    """Writes the one file that decodes by itself.

    Args:
        models: The decoder.
        path: The file.
        parity: How far it is from Keras: written into it.
        check_size: Is told how many bytes the file will have, and raises where that is too many.

    Raises:
        NnspecError: Where the file cannot be written.
    """
    if path.is_dir():
        raise NnspecError(f"{path} is a folder; name a file, `-o {path / 'model.onnx'}`, or write `--form parts`")
    content = sealed(models.loop(), parity.as_json())
    check_size(len(content))
    write_whole(path, content)


def write_parts(models: DecoderModels, folder: Path, parity: DecodingParity, check_size: Callable[[int], None]) -> None:
    """Writes ``encoder.onnx`` and ``decoder.onnx``, the decoder of one step, into a folder.

    Args:
        models: The decoder.
        folder: The folder; made if it is not there.
        parity: How far they are from Keras: written into both.
        check_size: Is told how many bytes both have together, and raises where that is too many.

    Raises:
        NnspecError: Where they cannot be written.
    """
    contents = {name: sealed(model, parity.as_json()) for name, model in models.parts().items()}
    check_size(sum(map(len, contents.values())))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot make the folder {folder}: {error.strerror}") from error
    for name, content in contents.items():
        write_whole(folder / f"{name}.onnx", content)
