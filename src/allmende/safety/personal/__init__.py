"""Personal data in texts: found by form and check digit, replaced by placeholders such as `[EMAIL]`.

    >>> replace("Fragen? müller@bücher.de oder Tel. 030 23125-000")
    'Fragen? [EMAIL] oder Tel. [PHONE]'

Serves captions and long documents alike. What each kind is, and how often it is found and missed on a labelled set of
texts, is in `docs/reference/personal-data.md`.
"""

from allmende.safety.personal.kind import Finding, Kind
from allmende.safety.personal.masking import Counts, find, replace, replace_column, replace_counted, replace_in, total

__all__ = ["Counts", "Finding", "Kind", "find", "replace", "replace_column", "replace_counted", "replace_in", "total"]
