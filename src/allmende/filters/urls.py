"""Image URLs that are no pictures: tracking pixels, icons, sprites, spacers, advertising, vector files.

Precision before recall: what slips through is caught by `images.min_side` and `images.min_bytes` at the price of a
request, while a picture blocked here is lost. So words that also name things (icon, button, pixel, arrow) count only
as whole words, and only in the formats in which pages draw their interface: GIF, PNG, WebP, BMP. A photograph is a
JPEG, and most URLs are, which also makes most checks short: 2 microseconds a URL instead of 17 with one large pattern.
"""

import re

from allmende.errors import RecipeError
from allmende.recipe import Urls

_COUNTERS = frozenset(
    """
    2mdn.net 2o7.net addthis.com adform.net adition.com adnxs.com adriver.ru adsafeprotected.com adsrvr.org adtech.de
    alexametrics.com amazon-adsystem.com atdmt.com awin1.com bat.bing.com bidswitch.net bluekai.com casalemedia.com
    chartbeat.net clicktale.net clustrmaps.com criteo.com criteo.net crwdcntrl.net demdex.net doubleclick.net
    effectivemeasure.net etracker.com etracker.de everesttech.net exelator.com extreme-dm.com feedburner.com
    flagcounter.com gemius.pl google-analytics.com googleadservices.com googlesyndication.com googletagmanager.com
    gravatar.com histats.com hotlog.ru imrworldwide.com intelliad.de ioam.de ivwbox.de kissmetrics.com krxd.net
    mathtag.com mc.yandex.ru mediaplex.com moatads.com mookie1.com mxptint.net nuggad.net omtrdc.net openx.net
    pixel.facebook.com pixel.wp.com px.ads.linkedin.com quantcount.com quantserve.com revsci.net rlcdn.com
    rubiconproject.com scorecardresearch.com serving-sys.com shinystat.com shinystat.it sitemeter.com smartadserver.com
    statcounter.com stats.wp.com tagcommander.com taboola.com top-fwz1.mail.ru top.mail.ru tradedoubler.com
    tribalfusion.com tynt.com vgwort.de webtrekk.net webtrends.com webtrendslive.com weborama.fr wemfbox.ch xiti.com
    yadro.ru yieldmanager.com zanox-affiliate.de zanox.com zedo.com
    """.split()  # noqa: SIM905 - a hundred names read better as a paragraph
)
"""Domains that serve counting pixels, advertising or avatars."""

_COUNTING_HOST = re.compile(
    r"(?:ads?server|adserv|ads|stats?|count|counter|tracker|tracking|s?metrics|analytics|beacon|telemetry)\d*\..+\."
)
"""Hosts below a domain that by their own name count or advertise: stats.example.com."""

_VECTOR = frozenset({"svg", "svgz", "ico", "cur", "swf"})

_PHOTOGRAPH = frozenset({"jpg", "jpeg", "jpe", "jfif", "avif", "heic", "tif", "tiff", "jxl"})

_DRAWN = frozenset({"gif", "png", "webp", "bmp"})

_UI_FOLDER = re.compile(
    r"(?:^|/)(?:[^/]*[-_])?(?:icons?|iconos|icones|favicons?|sprites?|smil(?:ies|eys?)|emojis?|emoticons?|twemoji|flags"
    r"|buttons|btns?|bullets|badges|spacers?|spinners)(?:/|$)"
)

_UI_NAME = re.compile(
    # whole names of pixels and spacers: 1x1.trans.gif, but not apple-transparent.png
    r"(?:(?:[01]x[01]|[12]px|1pix|pixel|px|spacer|blank|transparent|transp?|clear|cleardot|empty|dot|shim|space|null)"
    r"[-_.\d]*)+\."
    # the first word, or the last: icon-mail.png, mail_icon_32x32@2x.png, ajax-loader.gif
    r"|(?:icons?\d*|ico|btn|smiley|emoji|favicon|spinner|placeholder)[-_.]"
    r"|(?:.*[-_.])?(?:load(?:er|ing)|ajaxload(?:er)?|preload(?:er)?|spinner|lazy(?:load)?|placeholder|favicon|captcha|sprites?"
    r"|advert(?:isement)?|icons?|ico|btn|button|bullets?|smiley|emoji|emoticon|avatar"
    r"|(?:arrow|chevron|caret)s?[-_]?(?:left|right|up|down|top|bottom|next|prev(?:ious)?|back)?)[-_.@]?[\dx]*(?:@\dx)?\.",
)

_STAND_IN = re.compile(
    r"(?:.*[-_])?(?:no[-_]?(?:image|img|photo|picture|pic|thumb(?:nail)?|avatar|cover)(?:[-_](?:available|found))?"
    r"|default[-_]?(?:avatar|image|img|photo|user|profile|thumb(?:nail)?))[-_.]?[\dx]*\."
)
"""Pictures that shops and forums show when there is none."""

_PROGRAM = re.compile(
    r"(?:^|/)(?:piwik|matomo|counter|count|track|tracker|tracking|pixel|beacon|hit|hitcount|statistik|stats?|zaehler)"
    r"(?:\.(?:php\d?|cgi|pl|aspx?|ashx|js))?/?$"
    r"|(?:^|/)(?:(?:cgi|ivw)-bin/(?:ivw|nph-count|count)|delivery/a[a-z]+\.php|pagead/)|^tr/?$"
)
"""Programs that count, and those that pick an advertisement; the last is Facebook's."""

_ONE_PIXEL = re.compile(r"(?:^|&)(?:w|width)=[01]&(?:h|height)=[01](?:&|$)")


def is_interface(url: str) -> bool:
    """Whether a normalised http(s) URL names a part of a page's interface, a counter or an advertisement."""
    host, _, target = url.lower().partition("//")[2].partition("/")
    path, _, query = target.partition("?")
    if _is_counter(host.partition(":")[0]) or (query and _ONE_PIXEL.search(query)):
        return True
    folder, _, name = path.rpartition("/")
    extension = name.rpartition(".")[2]
    if extension in _PHOTOGRAPH:
        return _STAND_IN.match(name) is not None
    if extension in _VECTOR:
        return True
    if extension in _DRAWN:
        return bool(_UI_FOLDER.search(folder) or _UI_NAME.match(name) or _STAND_IN.match(name))
    return _PROGRAM.search(path) is not None


def _is_counter(host: str) -> bool:
    labels = host.rsplit(".", 3)
    if ".".join(labels[-2:]) in _COUNTERS or ".".join(labels[-3:]) in _COUNTERS:
        return True
    return _COUNTING_HOST.match(host) is not None


class UrlRules:
    """The recipe's `[urls]`, compiled once.

    Raises:
        RecipeError: One of `urls.blocked` is no regular expression.
    """

    __slots__ = ("_defaults", "_patterns")

    def __init__(self, urls: Urls) -> None:
        self._defaults = urls.block_defaults
        self._patterns = tuple(map(_compile, urls.blocked))

    def blocks(self, url: str) -> bool:
        """Whether a pattern, or a built-in rule, matches the normalised URL."""
        if self._defaults and is_interface(url):
            return True
        return any(pattern.search(url) for pattern in self._patterns)


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise RecipeError(
            f"urls.blocked: {pattern!r} is no regular expression ({error}). "
            "Escape signs that stand for themselves with a backslash, such as \\. or \\?."
        ) from error
