"""Writes a decoder with its parity record: one file with the loop inside, or an encoder and a decoder step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.exporting.decoder_models import DecoderModels
from nnspec.exporting.decoder_proof import DecodingParity
from nnspec.files import write_whole
from nnspec.onnx_backend.proto import sealed


def write_loop(models: DecoderModels, path: Path, parity: DecodingParity, check_size: Callable[[int], None]) -> None:
    """Write the file that contains the loop.

    Args:
        models: The decoder.
        path: The file.
        parity: Its parity with Keras, written into the file.
        check_size: Receives the size of the file in bytes, and raises if it is too large.

    Raises:
        NnspecError: If the file cannot be written.
    """
    if path.is_dir():
        raise NnspecError(f"{path} is a folder; pass a file, `-o {path / 'model.onnx'}`, or use `--form parts`")
    content = sealed(models.loop(), parity.as_json())
    check_size(len(content))
    write_whole(path, content)


def write_parts(models: DecoderModels, folder: Path, parity: DecodingParity, check_size: Callable[[int], None]) -> None:
    """Write ``encoder.onnx`` and ``decoder.onnx``, the decoder step, into a folder.

    Args:
        models: The decoder.
        folder: The folder; created if missing.
        parity: Their parity with Keras, written into both.
        check_size: Receives the size of both files in bytes, and raises if it is too large.

    Raises:
        NnspecError: If the files cannot be written.
    """
    contents = {name: sealed(model, parity.as_json()) for name, model in models.parts().items()}
    check_size(sum(map(len, contents.values())))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot create the folder {folder}: {error.strerror}") from error
    for name, content in contents.items():
        write_whole(folder / f"{name}.onnx", content)
