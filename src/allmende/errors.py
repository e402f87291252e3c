"""Every error Allmende raises on purpose, as one tree.

    AllmendeError
    ├── RecipeError     (ValueError)          the recipe, or a command's argument, is wrong
    │   └── RecipeChanged                     the recipe differs from the one this dataset was built with
    ├── SourceError     (OSError)             an archive, path list or URL table can't be had
    │   └── SourceMissing   (FileNotFoundError)   it isn't at its source; for an archive: Reason.ARCHIVE_MISSING
    │       └── SourceRefused                     the source answers, but refuses it (403, file permissions)
    ├── LakeError       (OSError)             a dataset folder can't be read or written
    │   ├── LakeLocked                        another build works on it
    │   └── LakeTooNew                        a newer Allmende wrote it
    ├── Untrusted       (ValueError)          a signature, digest or chain does not hold: a log or a patch was changed
    ├── EngineError     (RuntimeError)        the dataframe engine, or one of its workers, failed
    └── MissingExtra    (ImportError)         an optional dependency is not installed

Errors are for the operator: a message says what is wrong, where, and what to type next.
What happens to one record is never an exception but a `allmende.schema.Reason`.
"""


class AllmendeError(Exception):
    """Base of everything Allmende raises on purpose; the command line prints it without a traceback."""

    exit_code = 1


class RecipeError(AllmendeError, ValueError):
    """A recipe, or an argument of a command or function, can't be used as it is."""

    exit_code = 2


class RecipeChanged(RecipeError):
    """The recipe asks for something else than the dataset in its output folder was built with."""


class SourceError(AllmendeError, OSError):
    """An input (archive, path list, URL table) is missing, refused or unreadable."""

    exit_code = 4


class SourceMissing(SourceError, FileNotFoundError):
    """The input isn't at its source: HTTP 404 or 410, NoSuchKey, no such file.

    A missing archive of many is no reason to stop a build: it is counted as `Reason.ARCHIVE_MISSING`. Only if all are, it stops.
    """


class SourceRefused(SourceMissing):
    """The source refuses the input: HTTP 401 or 403, AccessDenied, file permissions.

    Object stores say this of files that do not exist, so it counts as missing where one file is concerned.
    Common Crawl also says it to clients that asked too much: when every file is refused, stop.
    """


class LakeError(AllmendeError, OSError):
    """A dataset folder can't be read or written: disk full, read-only, not a dataset."""

    exit_code = 5


class LakeLocked(LakeError):
    """Another process builds in this folder."""


class LakeTooNew(LakeError):
    """The dataset was written by a newer Allmende, in a format this one can't read."""


class EngineError(AllmendeError, RuntimeError):
    """The engine, or a worker process of it, failed; finished parts are safe."""

    exit_code = 6


class MissingExtra(AllmendeError, ImportError):
    """A feature needs an optional dependency; the message has the pip command."""

    exit_code = 7


class Untrusted(AllmendeError, ValueError):
    """Something that is signed or chained was changed, or belongs to something else; nothing was done with it."""

    exit_code = 8
