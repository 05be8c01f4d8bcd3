"""Detections compared with annotated boxes: matching, and average precision as COCO defines it."""
