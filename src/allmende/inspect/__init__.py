"""What is in a file: archives, shards, tables, manifests, dataset folders, told from their content, not their name.

    finding = inspect("CC-MAIN-20261001-00000.warc.wat.gz")
    print(render_text(finding))

Reading is streaming and stops at a limit; a damaged file is described up to its damage.
"""

from allmende.inspect.finding import Column, Finding, render_text
from allmende.inspect.look import inspect

__all__ = ["Column", "Finding", "inspect", "render_text"]
