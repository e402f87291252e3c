"""The visible text of a page around its images: collected once, in the order of the page, then cut."""


class PageText:
    """Text in the order of the page, white space collapsed, with places in it.

    Where an element may have begun or ended that breaks lines, `pause` says so, and a space goes between.
    """

    __slots__ = ("_pieces", "_spaced", "_whole", "length")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._spaced = True
        self._whole: str | None = None
        self.length = 0
        """Characters so far: the place of what comes next."""

    def pause(self) -> None:
        """What follows is not part of the same word."""
        if not self._spaced:
            self._pieces.append(" ")
            self.length += 1
            self._spaced = True

    def ends_in_word(self) -> bool:
        """Whether a text that follows at once would go on with the same word."""
        return not self._spaced

    def add(self, text: str) -> None:
        """Add a piece of text."""
        words = text.split()
        if not words:
            if text:
                self.pause()
            return
        if text[0].isspace():
            self.pause()
        piece = " ".join(words)
        self._pieces.append(piece)
        self.length += len(piece)
        self._spaced = False
        if text[-1].isspace():
            self.pause()

    def before(self, place: int, size: int) -> str:
        """At most `size` characters before a place; whole words, unless there is not one."""
        whole = self._joined()
        place -= whole[place - 1 : place] == " "
        begin = max(0, place - size)
        text = whole[begin:place]
        if begin and whole[begin - 1] != " " and text[:1] != " ":
            text = text.partition(" ")[2] or text
        return text.strip()

    def after(self, place: int, size: int) -> str:
        """At most `size` characters after a place; whole words, unless there is not one."""
        whole = self._joined()
        end = place + size
        text = whole[place:end]
        if end < len(whole) and whole[end] != " " and text[-1:] != " ":
            text = text.rpartition(" ")[0] or text
        return text.strip()

    def whole(self) -> str:
        """All of the text."""
        return self._joined().strip()

    def _joined(self) -> str:
        if self._whole is None:
            self._whole = "".join(self._pieces)
        return self._whole
