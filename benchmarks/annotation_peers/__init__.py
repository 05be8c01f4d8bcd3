"""The copies of the data set with mistakes, shown to other tools that read the formats.

**Who is asked, and how.** Ultralytics validates an untrained network (``yolo detect val``), which checks the labels first, as its
training does; it reads YOLO only. Datumaro validates (``datum validate -t detection``). Supervision loads (``DetectionDataset.from_yolo`` and so
on), and every image is read once. They run as programs of another Python. Each gets the folders that it expects: the same files,
moved after the mistake was made. A kind of mistake that a tool's folders cannot have, or a format that it does not read, is left
out.

**How an answer is rated.** It consists of the lines of warnings and errors, the findings of a report, and the last lines of
tracebacks that the copy without mistakes does not have. Lines of source code in a traceback do not count. The best line counts:

* nothing: there is no such line;
* something: there is one, but it does not name the file with the mistake;
* file: it names the file or the image, any of them if the mistake is in several;
* place: it also names the line, the id of the annotation, or the value at fault. Where a whole file, folder or image is at fault, its
  name is the place; in the one file of COCO, a line or id is;
* remedy: it also states what to do, or what is valid: one of the words in `REMEDY` is in it.

The last two are milder than nnspec's own measure, for which place and remedy are given texts. Being silent is right if a tool
reads such data as they were meant; that is not asked, so `nothing` is not always a fault.
"""
