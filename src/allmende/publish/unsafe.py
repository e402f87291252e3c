"""Names of files and members that no dataset has, and that may harm who unpacks or loads it.

WebDataset and Ray Data unpickle members by their extension, which runs whatever they say (webdataset issue 490,
GHSA-hhrp-gw25-jr43), and webdataset runs what follows `pipe:` as a command. Archives may name places outside the folder
that they are unpacked to (CVE-2007-4559).
"""

import re

PICKLES = frozenset({"pkl", "pickle", "pyd", "pth", "pt", "ckpt", "npy", "npz", "joblib", "dill", "cloudpickle"})
"""Extensions of what loaders unpickle, or decode with something that can: webdataset's, PyTorch's, NumPy's."""

_CODE = frozenset({"py", "pyc", "so", "dll", "sh", "exe"})
_drive = re.compile(r"[A-Za-z]:").match


def why_unsafe(name: str) -> str:
    """Why a relative path may do harm; empty if it is a plain name of plain data.

    Args:
        name: With forward slashes, as members of archives and manifests have it.
    """
    folded = name.replace("\\", "/")
    if not name or "\0" in name:
        return "it has no name that a file could have"
    if folded.startswith("/") or _drive(name):
        return "it is an absolute path"
    if ".." in folded.split("/"):
        return "it leads out of its folder"
    if name.lower().startswith(("pipe:", "|")) or "::" in name or "://" in name:
        return "it is a command or a URL"
    return _why_harmful(folded.rpartition("/")[2].lower().split(".")[1:])


def _why_harmful(extensions: list[str]) -> str:
    """By any of its extensions: loaders look at the whole of what follows the first dot, or at its end."""
    if not PICKLES.isdisjoint(extensions):
        return "loaders may unpickle it, which runs what it says"
    if not _CODE.isdisjoint(extensions):
        return "it is a program"
    return ""
