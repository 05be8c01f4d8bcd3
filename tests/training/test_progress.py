from __future__ import annotations

import io

from nnspec.training.loop.progress import progress_for

RECORD = {
    "epoch": 1,
    "step": 8,
    "loss": 0.5,
    "y_auc": [0.1, 0.2],
    "val_loss": 0.25,
    "examples_per_second": 1234.5,
    "seconds": 1.26,
}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO) -> str:
    progress = progress_for(stream)
    progress.begin(epochs=2, steps=8, batch_size=4)
    progress.print("a word [bold]before")
    progress.stepped(1, 3, 1234.5, lambda: {"loss": 0.75})
    progress.epoch_ended(RECORD)
    progress.end()
    return stream.getvalue()


def test_an_epoch_is_one_plain_line_where_nobody_looks():
    lines = show(io.StringIO()).splitlines()
    assert lines == ["a word [bold]before", "epoch 1/2  loss 0.5  val_loss 0.25  1,234 examples/s  1.3 s"]


def test_a_terminal_shows_a_bar_beside_the_lines():
    text = show(Screen())
    assert "epoch 1/2  loss 0.5  val_loss 0.25" in text
    assert "a word [bold]before" in text
    assert "loss 0.75" in text
    assert "\x1b" in text


def test_of_epochs_shorter_than_a_second_the_first_and_the_last_are_reported():
    stream = io.StringIO()
    progress = progress_for(stream)
    progress.begin(epochs=50, steps=8, batch_size=4)
    for epoch in range(1, 50):
        progress.epoch_ended({**RECORD, "epoch": epoch})
    progress.end()
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["1/50", "49/50"]


def test_the_losses_of_many_outputs_are_left_to_the_log():
    stream = io.StringIO()
    progress = progress_for(stream)
    progress.begin(epochs=1, steps=8, batch_size=4)
    progress.epoch_ended({**RECORD, "y_mae": 3.0} | {f"{part}{i}_loss": 1.0 for part in ("", "val_") for i in range(9)})
    assert stream.getvalue() == "epoch 1/1  loss 0.5  val_loss 0.25  y_mae 3  1,234 examples/s  1.3 s\n"
