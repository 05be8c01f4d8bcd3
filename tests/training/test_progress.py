from __future__ import annotations

import io

from nnspec.training.loop.metrics_table import MetricsTable
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


def test_an_epoch_is_one_line_of_a_table_where_nobody_looks():
    assert show(io.StringIO()).splitlines() == [
        "a word [bold]before",
        "  epoch      loss  val_loss  examples/s     time     left",
        "    1/2       0.5      0.25       1,234    1.3 s    1.3 s",
    ]


def test_a_terminal_shows_a_bar_beside_the_table():
    text = show(Screen())
    assert "    1/2       0.5      0.25" in text
    assert "a word [bold]before" in text
    assert "loss 0.75" in text
    assert "\x1b" in text


def lines_of(*records: dict[str, object], epochs: int) -> list[str]:
    stream = io.StringIO()
    progress = progress_for(stream)
    progress.begin(epochs=epochs, steps=8, batch_size=4)
    for record in records:
        progress.epoch_ended(record)
    progress.end()
    return stream.getvalue().splitlines()


def test_no_epoch_is_left_out_however_short():
    _, *rows = lines_of(*({**RECORD, "epoch": epoch} for epoch in range(1, 50)), epochs=50)
    assert [row.split()[0] for row in rows] == [f"{epoch}/50" for epoch in range(1, 50)]


def test_a_new_best_epoch_is_marked():
    _, first, second = lines_of({**RECORD, "best": True}, {**RECORD, "epoch": 2, "best": False}, epochs=2)
    assert first.endswith("best")
    assert not second.endswith("best")


def test_the_header_is_printed_again_if_the_metrics_change():
    lines = lines_of(RECORD, {**RECORD, "epoch": 2, "y_mae": 3.0}, epochs=2)
    assert [("epoch" in line) for line in lines] == [True, False, True, False]


def test_the_losses_of_many_outputs_are_left_to_the_log():
    many = {**RECORD, "y_mae": 3.0} | {f"{part}{i}_loss": 1.0 for part in ("", "val_") for i in range(9)}
    header, _ = lines_of(many, epochs=1)
    assert header.split() == ["epoch", "loss", "val_loss", "y_mae", "examples/s", "time", "left"]


def test_a_narrow_table_leaves_out_the_speed_and_then_metrics_of_the_training_data():
    names = ["loss", "y_mae", "y_mse", "val_loss", "val_y_mae", "val_y_mse"]

    def columns(width: int) -> list[str]:
        return MetricsTable(names, width).header.split()[1:-2]

    assert columns(110) == ["loss", "mae", "mse", "val_loss", "val_mae", "val_mse", "examples/s"]
    assert columns(95) == ["loss", "mae", "mse", "val_loss", "val_mae", "val_mse"]
    assert columns(85) == ["loss", "mae", "val_loss", "val_mae", "val_mse"]


def test_a_training_without_standard_error_reports_nothing(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    progress_for().print("loading")
