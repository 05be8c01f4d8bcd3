"""``python -m benchmarks annotations``: mistakes made by rule in the annotations of one data set, in COCO, YOLO and VOC.

Each mistake is made alone in a copy of the data set. It counts as found if `nnspec validate --data` reports it with the file and
the line or id where it was made, and with the remedy. Other valid ways to write the data set must be read as the same boxes,
without a message. ``--peers PYTHON`` shows the same copies to other tools, beside it; ``benchmarks.annotation_peers`` states how
they are asked and rated.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random

from benchmarks.annotation_mistakes import MISTAKES, VARIANTS, Mistake, Variant, write
from nnspec.api import validate
from nnspec.data.readers.coco import Coco
from nnspec.data.readers.voc import Voc
from nnspec.data.readers.yolo import Yolo

_FORMATS = ("coco", "yolo", "voc")


def found(mistake: Mistake, clean: Path, folder: Path) -> list[str]:
    """Make a mistake in a copy of the data set, and return what `validate --data` reports of it."""
    shutil.copytree(clean / mistake.format, folder)
    mistake.make(folder)
    reported = validate(folder / "pets.nnspec.yaml", data=True)
    return [f"{each.severity}[{each.code}]: {each.message} | help: {each.help}" for each in reported]


def is_found(mistake: Mistake, reported: list[str]) -> bool:
    """Whether a report has the place of a mistake, and its remedy."""
    return any(
        mistake.where in line.partition(" | help: ")[0]
        and mistake.remedy in line.replace("the file ends within a value: it is", "the file is")
        for line in reported
    )


def boxes_in(folder: Path, format_: str) -> list[tuple[list[list[float]], list[str]]]:
    """Return the boxes of each image, rounded to hundredths of a pixel, and their classes; sorted."""
    import numpy as np

    reader: Coco | Yolo | Voc
    if format_ == "coco":
        reader = Coco(annotations="instances.json", images="images", image_size=[32, 32])
    else:
        reader = (Yolo if format_ == "yolo" else Voc)(folder=".", image_size=[32, 32])
    table = reader.open({argument: folder / text for argument, text in reader.named_paths().items()})
    pairs = zip(table.read("boxes", slice(None)), table.read("class", slice(None)), strict=True)
    return sorted((np.round(own, 2).tolist(), list(kinds)) for own, kinds in pairs)


def misread(variant: Variant, clean: Path, folder: Path) -> list[str]:
    """Write a copy of the data set in another valid way, and return what is wrong with its reading; empty if nothing is."""
    shutil.copytree(clean / variant.format, folder)
    variant.make(folder)
    wrong = [f"{each.severity}: {each.message}" for each in validate(folder / "pets.nnspec.yaml", data=True)]
    if not wrong and boxes_in(folder, variant.format) != boxes_in(clean / variant.format, variant.format):
        wrong = ["the boxes are others"]
    return wrong


_LARGE_IMAGES = 20_000
_READ = """
import resource, sys, time
from pathlib import Path
from nnspec.data.readers.coco import Coco
folder = Path(sys.argv[1])
reader = Coco(annotations="instances.json", images="images", image_size=[32, 32], color_mode="rgb")
start, used = time.perf_counter(), time.process_time()
table = reader.open({"annotations": folder / "instances.json", "images": folder / "images"})
boxes = sum(map(len, table.read("boxes", slice(None))))
seconds, used = time.perf_counter() - start, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{len(table):,} images, {boxes:,} boxes: {seconds:.1f} s ({used:.1f} s of processor time), at most {peak:,.0f} MiB of memory")
"""


def read_large(gigabytes: float) -> int:
    """Write a COCO file of a size, with polygons of 30 points, and print the time and memory that its reading takes."""
    import subprocess

    from PIL import Image

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "images").mkdir()
        Image.new("RGB", (64, 48)).save(folder / "images/0.png")
        for number in range(1, _LARGE_IMAGES):
            (folder / f"images/{number}.png").hardlink_to(folder / "images/0.png")
        random = Random(0)
        shapes = [json.dumps([[round(random.uniform(0, 64), 2) for _ in range(60)]]) for _ in range(50)]
        written = 0
        with (folder / "instances.json").open("w") as file:
            images = [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48} for i in range(_LARGE_IMAGES)]
            file.write('{"categories": [{"id": 1, "name": "cat"}], "images": ' + json.dumps(images) + ', "annotations": [')
            while file.tell() < gigabytes * 1e9 if written % 1000 == 0 else True:
                x, y = random.randint(0, 50), random.randint(0, 30)
                box = f'"bbox": [{x}.5, {y}, {random.randint(1, 12)}.25, 9], "area": 90.5, "iscrowd": 0, "category_id": 1'
                image = random.randrange(_LARGE_IMAGES)
                comma = "," if written else ""
                shape = shapes[written % 50]
                file.write(f'{comma}{{"id": {written}, "image_id": {image}, {box}, "segmentation": {shape}}}')
                written += 1
            file.write("]}")
        size = (folder / "instances.json").stat().st_size
        print(f"{size / 1e9:.2f} GB:", end=" ", flush=True)
        return subprocess.run([sys.executable, "-c", _READ, temporary], check=False).returncode


def main(arguments: list[str]) -> int:
    """Print whether each mistake is found, and what is reported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks annotations", description=__doc__)
    parser.add_argument("--all", action="store_true", help="print what is reported for each mistake")
    parser.add_argument("--large", type=float, metavar="GB", help="instead, read a COCO file of this size")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="ask the tools that this Python has, too: some minutes")
    options = parser.parse_args(arguments)
    if options.large is not None:
        return read_large(options.large)
    right = read = 0
    marks = []
    with tempfile.TemporaryDirectory() as temporary:
        clean = Path(temporary) / "clean"
        write(clean)
        for name in _FORMATS:
            silent = not validate(clean / name / "pets.nnspec.yaml", data=True)
            print(f"{name}: without mistakes, {'nothing' if silent else 'something'} is reported", flush=True)
            right -= not silent
        for number, mistake in enumerate(MISTAKES):
            reported = found(mistake, clean, Path(temporary) / str(number))
            ok = is_found(mistake, reported)
            right += ok
            marks.append(ok)
            print(f"{'found' if ok else 'MISSED':<7} {mistake.format:<5} {mistake.kind}", flush=True)
            for line in reported if options.all or not ok else ():
                print(f"          {line}")
        for number, variant in enumerate(VARIANTS):
            wrong = misread(variant, clean, Path(temporary) / f"variant{number}")
            read += not wrong
            print(f"{'MISREAD' if wrong else 'read':<7} {variant.format:<5} {variant.kind}", flush=True)
            for line in wrong:
                print(f"          {line}")
        if options.peers is not None:
            from benchmarks.annotation_peers.table import print_beside

            print()
            print_beside(marks, clean, Path(temporary) / "peers", options.peers.absolute(), show=options.all)
    kinds = len({mistake.kind for mistake in MISTAKES})
    print(f"{right} of {len(MISTAKES)} mistakes of {kinds} kinds are found with their place and remedy")
    print(f"{read} of {len(VARIANTS)} other valid ways to write the data set are read as the same boxes, without a message")
    return 0 if (right, read) == (len(MISTAKES), len(VARIANTS)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
