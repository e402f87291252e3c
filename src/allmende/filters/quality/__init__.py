"""Rules for documents: which text is worth keeping, by published pipelines' measures and thresholds.

A `Text` is measured, a preset compares the measures with its thresholds, and every rule has its own name. Measures are
numbers, so they can be stored, and a threshold changed later without reading the pages again.
"""
