"""The tables of a dataset and the fates of its rows.

`Reason` is the closed list of why a row was dropped. The Arrow schemas below are the columns of each
table on disk; the metadata of each field is its documentation, and `docs/reference/` is generated from both.
"""

from enum import StrEnum
from typing import Self

import pyarrow as pa

FORMAT_VERSION = 1
"""Version of the dataset layout on disk. A reader refuses a larger one."""


class Reason(StrEnum):
    """Why a record, a candidate or a sample was dropped. Every dropped row carries exactly one.

    Each member is `value, stage, explanation`. `stage` is the step that may give this reason.
    """

    stage: str
    explanation: str

    def __new__(cls, value: str, stage: str, explanation: str) -> Self:  # noqa: D102 - an enum member is its own doc
        member = str.__new__(cls, value)
        member._value_ = value
        member.stage = stage
        member.explanation = explanation
        return member

    # Archives and their records
    ARCHIVE_MISSING = (
        "archive_missing",
        "archive",
        "The archive file does not exist at its source (404, 410, no such file).",
    )
    RECORD_TRUNCATED = (
        "record_truncated",
        "archive",
        "The archive ends in the middle of this record; all records before it were read.",
    )
    RECORD_DAMAGED = (
        "record_damaged",
        "archive",
        "The record's gzip member, WARC header or length is corrupt; reading goes on at the next record that can be found.",
    )
    RECORD_MALFORMED = (
        "record_malformed",
        "archive",
        "The record's payload is not what its type promises (WAT: not JSON of the WAT form; WARC: no HTTP response).",
    )
    RECORD_TOO_LARGE = (
        "record_too_large",
        "archive",
        "The record's payload is larger than `extract.max_page_bytes`, before or after decompression.",
    )
    RECORD_NOT_HTML = "record_not_html", "archive", "The capture is not an HTML page."
    RECORD_HTTP_STATUS = "record_http_status", "archive", "The capture's HTTP status is not 200."
    RECORD_EMPTY = "record_empty", "archive", "The capture has no body."
    RECORD_ENCODING_BROKEN = (
        "record_encoding_broken",
        "archive",
        "The capture's transfer or content encoding can't be undone.",
    )
    PAGE_URL_INVALID = "page_url_invalid", "archive", "The page's own URL is not an absolute http(s) URL."

    RECORD_NOT_TEXT = "record_not_text", "archive", "The capture is neither an HTML page nor plain text."

    # Main text of a page
    TEXT_EMPTY = "text_empty", "text", "No main text was found on the page."
    TEXT_SHORT = "text_short", "text", "The main text is shorter than `text.min_chars`."
    TEXT_LONG = "text_long", "text", "The main text is longer than `text.max_chars`."
    TEXT_REPEATED = (
        "text_repeated",
        "text",
        "Without lines that many pages of its host have (`repeats`), the main text is shorter than `text.min_chars`.",
    )
    TEXT_LANGUAGE = (
        "text_language",
        "text",
        "The text's language is not among `text.languages`, has no thresholds in `quality.preset`, or its score is below `text.min_language_score`.",
    )
    EXTRACTION_TIMEOUT = "extraction_timeout", "text", "The careful extraction took longer than `text.extract_seconds`."
    EXTRACTION_CRASHED = (
        "extraction_crashed",
        "text",
        "The extractor's process died on this page (or ran out of its memory cap, `text.extract_bytes`).",
    )

    # Quality of a text, a Reason a rule: the measure is outside the thresholds of `quality.preset`
    QUALITY_EMPTY = "quality_empty", "quality", "Nothing is left of the text once a preset has removed bad lines."
    QUALITY_DUP_PARA_FRAC = "quality_dup_para_frac", "quality", "Too many paragraphs repeat an earlier one."
    QUALITY_DUP_PARA_CHAR_FRAC = (
        "quality_dup_para_char_frac",
        "quality",
        "Too many characters are in paragraphs that repeat an earlier one.",
    )
    QUALITY_DUP_LINE_FRAC = "quality_dup_line_frac", "quality", "Too many lines repeat an earlier one."
    QUALITY_DUP_LINE_CHAR_FRAC = (
        "quality_dup_line_char_frac",
        "quality",
        "Too many characters are in lines that repeat an earlier one.",
    )
    QUALITY_TOP_2_GRAM = (
        "quality_top_2_gram",
        "quality",
        "The most frequent run of 2 words makes up too much of the text.",
    )
    QUALITY_TOP_3_GRAM = (
        "quality_top_3_gram",
        "quality",
        "The most frequent run of 3 words makes up too much of the text.",
    )
    QUALITY_TOP_4_GRAM = (
        "quality_top_4_gram",
        "quality",
        "The most frequent run of 4 words makes up too much of the text.",
    )
    QUALITY_DUP_5_GRAM = (
        "quality_dup_5_gram",
        "quality",
        "Runs of 5 words that were there before make up too much of the text.",
    )
    QUALITY_DUP_6_GRAM = (
        "quality_dup_6_gram",
        "quality",
        "Runs of 6 words that were there before make up too much of the text.",
    )
    QUALITY_DUP_7_GRAM = (
        "quality_dup_7_gram",
        "quality",
        "Runs of 7 words that were there before make up too much of the text.",
    )
    QUALITY_DUP_8_GRAM = (
        "quality_dup_8_gram",
        "quality",
        "Runs of 8 words that were there before make up too much of the text.",
    )
    QUALITY_DUP_9_GRAM = (
        "quality_dup_9_gram",
        "quality",
        "Runs of 9 words that were there before make up too much of the text.",
    )
    QUALITY_DUP_10_GRAM = (
        "quality_dup_10_gram",
        "quality",
        "Runs of 10 words that were there before make up too much of the text.",
    )
    QUALITY_WORD_COUNT = "quality_word_count", "quality", "Too few words, or too many."
    QUALITY_MEAN_WORD_LENGTH = "quality_mean_word_length", "quality", "Words are too short or too long on average."
    QUALITY_HASH_RATIO = "quality_hash_ratio", "quality", "Too many number signs (#) for its words."
    QUALITY_ELLIPSIS_RATIO = "quality_ellipsis_ratio", "quality", "Too many ellipses for its words."
    QUALITY_BULLET_LINE_FRAC = "quality_bullet_line_frac", "quality", "Too many lines begin with a bullet."
    QUALITY_ELLIPSIS_LINE_FRAC = "quality_ellipsis_line_frac", "quality", "Too many lines end with an ellipsis."
    QUALITY_LETTER_WORD_FRAC = "quality_letter_word_frac", "quality", "Too few words have a letter."
    QUALITY_STOP_WORD_COUNT = (
        "quality_stop_word_count",
        "quality",
        "Too few of the words that every text of its language has.",
    )
    QUALITY_LINE_PUNCT_RATIO = "quality_line_punct_ratio", "quality", "Too few lines end like a sentence."
    QUALITY_SHORT_LINE_RATIO = "quality_short_line_ratio", "quality", "Too many lines are short."
    QUALITY_CHAR_DUP_RATIO = (
        "quality_char_dup_ratio",
        "quality",
        "Too many characters are in lines that are there more than once (FineWeb's measure).",
    )
    QUALITY_LIST_RATIO = "quality_list_ratio", "quality", "Too many lines for its words: a list."
    QUALITY_LOREM_IPSUM = "quality_lorem_ipsum", "quality", "The text has `lorem ipsum` in it (C4)."
    QUALITY_CURLY_BRACKET = "quality_curly_bracket", "quality", "The text has a curly bracket in it: code (C4)."
    QUALITY_SENTENCE_COUNT = (
        "quality_sentence_count",
        "quality",
        "Too few sentences, once bad lines are removed (C4).",
    )

    QUALITY_MEDIAN_WORD_LENGTH = "quality_median_word_length", "quality", "Half of the words are too short or too long."
    QUALITY_SYMBOL_RATIO = "quality_symbol_ratio", "quality", "Too many number signs and ellipses for its words."
    QUALITY_REMOVED_WORD_FRAC = (
        "quality_removed_word_frac",
        "quality",
        "Too many words stood in lines that the preset removes (DCLM).",
    )
    QUALITY_MODEL = "quality_model", "quality", "The score of a model in `quality.models` is not good enough."

    # Links on a page
    URL_INVALID = "url_invalid", "extract", "The link is not a URL a browser could resolve."
    URL_SCHEME = "url_scheme", "extract", "The link is not http(s): data:, javascript:, blob:, file: and the like."
    URL_TOO_LONG = "url_too_long", "extract", "The URL is longer than `extract.max_url_chars`."
    NO_CAPTION = "no_caption", "extract", "The image has no words in any of `extract.caption_sources`."

    # Caption and URL rules
    CAPTION_FEW_CHARS = "caption_few_chars", "caption", "The caption is shorter than `captions.min_chars`."
    CAPTION_MANY_CHARS = "caption_many_chars", "caption", "The caption is longer than `captions.max_chars`."
    CAPTION_FEW_WORDS = "caption_few_words", "caption", "The caption has fewer words than `captions.min_words`."
    CAPTION_MANY_WORDS = "caption_many_words", "caption", "The caption has more words than `captions.max_words`."
    CAPTION_FEW_LETTERS = (
        "caption_few_letters",
        "caption",
        "Less than `captions.min_letter_ratio` of the caption's characters are letters.",
    )
    CAPTION_REPETITIVE = (
        "caption_repetitive",
        "caption",
        "One word or character pattern makes up more than `captions.max_repetition` of the caption.",
    )
    CAPTION_FILE_NAME = (
        "caption_file_name",
        "caption",
        "The caption is a file name or a camera's number (IMG_1234.JPG).",
    )
    CAPTION_PLACEHOLDER = (
        "caption_placeholder",
        "caption",
        "The caption is a placeholder such as 'image', 'logo' or 'untitled'.",
    )
    CAPTION_BOILERPLATE = (
        "caption_boilerplate",
        "caption",
        "The caption is an instruction of the page, such as 'click to enlarge'.",
    )
    CAPTION_HAS_URL = "caption_has_url", "caption", "The caption contains a URL."
    CAPTION_GARBLED = (
        "caption_garbled",
        "caption",
        "The caption shows a wrong charset (GrÃ¼n), HTML tags or a template that nobody filled ({{title}}).",
    )
    CAPTION_LANGUAGE = (
        "caption_language",
        "caption",
        "The caption's language is not among `captions.languages`, or its score is below `captions.min_language_score`.",
    )
    URL_BLOCKED = (
        "url_blocked",
        "caption",
        "The URL matches `urls.blocked`: tracking pixels, icons, sprites and the like.",
    )

    # Duplicates
    DUPLICATE = (
        "duplicate",
        "dedup",
        "The same URL with the same caption was kept already; `seen` of the kept row counts it.",
    )
    DUPLICATE_EARLIER = (
        "duplicate_earlier",
        "dedup",
        "The same URL with the same caption is in one of the datasets of `dedup.earlier`.",
    )
    URL_TOO_FREQUENT = "url_too_frequent", "dedup", "The image URL occurs more than `dedup.max_url_seen` times."
    CAPTION_TOO_FREQUENT = (
        "caption_too_frequent",
        "dedup",
        "The caption stands with more than `dedup.max_caption_seen` different image URLs.",
    )

    TEXT_DUPLICATE = (
        "text_duplicate",
        "dedup",
        "The same text, but for white space and case, was kept already; `seen` of the kept row counts it.",
    )
    TEXT_DUPLICATE_EARLIER = (
        "text_duplicate_earlier",
        "dedup",
        "The same text is in one of the datasets of `dedup.earlier`.",
    )
    TEXT_NEAR_DUPLICATE = (
        "text_near_duplicate",
        "dedup",
        "Another document of its cluster of near-duplicates stays; `cluster_size` of that row counts it.",
    )
    TEXT_NEAR_DUPLICATE_EARLIER = (
        "text_near_duplicate_earlier",
        "dedup",
        "A near-duplicate is in one of the datasets of `dedup.earlier`.",
    )

    TEXT_CONTAMINATED = (
        "text_contaminated",
        "dedup",
        "The text has a run of words of an evaluation set of `decontamination.sets`.",
    )

    # Before the request
    ADDRESS_REFUSED = (
        "address_refused",
        "fetch",
        "The host resolves to an address that is not public (loopback, private, link-local, reserved).",
    )
    PORT_REFUSED = "port_refused", "fetch", "The URL's port is not among `fetch.ports`."
    SCHEME_REFUSED = "scheme_refused", "fetch", "A redirect leads to something else than http(s)."
    HOST_SET_ASIDE = (
        "host_set_aside",
        "fetch",
        "The host failed too often in a row and was set aside; later URLs of it were not requested.",
    )
    PERMISSION_DENIED = (
        "permission_denied",
        "fetch",
        "A machine-readable signal (such as X-Robots-Tag: noai) reserves this file.",
    )

    TAKEN_DOWN = (
        "taken_down",
        "fetch",
        "The file, its URL, domain or a near-duplicate of it was taken down before, and stays out.",
    )
    LISTED = (
        "listed",
        "fetch",
        "The URL or the file is on a list of known illegal content. The row is stored without URL and words.",
    )
    URL_LISTED = (
        "url_listed",
        "fetch",
        "The host, domain or URL is on a list whose category `safety` drops (trackers, piracy, adult, ...).",
    )

    # The request
    DNS_NOT_FOUND = "dns_not_found", "fetch", "The host name does not exist."
    DNS_FAILED = "dns_failed", "fetch", "The name servers gave no usable answer."
    CONNECT_FAILED = "connect_failed", "fetch", "No TCP connection: refused, unreachable."
    TLS_FAILED = "tls_failed", "fetch", "The TLS handshake failed or the certificate is not valid."
    TIMEOUT_DNS = "timeout_dns", "fetch", "The name was not resolved within `fetch.connect_seconds`."
    TIMEOUT_CONNECT = "timeout_connect", "fetch", "No connection within `fetch.connect_seconds`."
    TIMEOUT_FIRST_BYTE = "timeout_first_byte", "fetch", "No response headers within `fetch.first_byte_seconds`."
    TIMEOUT_IDLE = "timeout_idle", "fetch", "No byte for `fetch.idle_seconds`."
    TIMEOUT_TOTAL = (
        "timeout_total",
        "fetch",
        "Not finished within `fetch.total_seconds`, redirects included; each repeat has its own time.",
    )
    CONNECTION_LOST = (
        "connection_lost",
        "fetch",
        "The server closed or reset the connection before the response was whole.",
    )
    PROTOCOL_ERROR = "protocol_error", "fetch", "The server's answer is not valid HTTP."
    HEADERS_TOO_LARGE = "headers_too_large", "fetch", "The response headers are larger than 32 KiB."
    HTTP_NOT_FOUND = "http_not_found", "fetch", "HTTP 404 or 410."
    HTTP_FORBIDDEN = "http_forbidden", "fetch", "HTTP 401, 402, 403, 407 or 451."
    HTTP_RATE_LIMITED = "http_rate_limited", "fetch", "HTTP 429, after the allowed retries."
    HTTP_CLIENT_ERROR = "http_client_error", "fetch", "Another HTTP 4xx."
    HTTP_SERVER_ERROR = "http_server_error", "fetch", "HTTP 5xx, after the allowed retries."
    HTTP_UNEXPECTED = "http_unexpected", "fetch", "A status that carries no image: 1xx, 204, 3xx without a target."
    REDIRECTS_TOO_MANY = "redirects_too_many", "fetch", "More than `fetch.max_redirects` redirects."
    REDIRECT_INVALID = "redirect_invalid", "fetch", "The Location header is not a URL."
    BODY_EMPTY = "body_empty", "fetch", "The response has no body."
    BODY_TOO_LARGE = (
        "body_too_large",
        "fetch",
        "The body is larger than `fetch.max_bytes`, on the wire or decompressed.",
    )
    BODY_TRUNCATED = "body_truncated", "fetch", "Fewer bytes than Content-Length promised."
    BODY_ENCODING_BROKEN = "body_encoding_broken", "fetch", "The content encoding is unknown or can't be undone."
    CONTENT_TYPE_REFUSED = (
        "content_type_refused",
        "fetch",
        "The Content-Type says that this is no image (text/html, for example), and the first bytes agree.",
    )
    CAPTURE_MISSING = "capture_missing", "fetch", "Archive mode: the archives hold no capture of this URL."

    # The image
    IMAGE_FORMAT = "image_format", "image", "The first bytes are none of the image formats we read."
    IMAGE_UNDECODABLE = "image_undecodable", "image", "The file is damaged or truncated and can't be decoded."
    IMAGE_FEW_BYTES = "image_few_bytes", "image", "The file is smaller than `images.min_bytes`."
    IMAGE_SMALL = "image_small", "image", "The shorter side is less than `images.min_side`."
    IMAGE_LARGE = "image_large", "image", "More pixels than `images.max_pixels`; found before decoding."
    IMAGE_ASPECT_RATIO = (
        "image_aspect_ratio",
        "image",
        "Longer side over shorter side exceeds `images.max_aspect_ratio`.",
    )
    IMAGE_SINGLE_COLOUR = "image_single_colour", "image", "All pixels have (nearly) one colour."
    DECODER_CRASHED = (
        "decoder_crashed",
        "image",
        "The decoder process died on this file (or ran out of its memory cap).",
    )
    DECODER_TIMEOUT = "decoder_timeout", "image", "Decoding took longer than `images.decode_seconds`."


def _field(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


_UTC = pa.timestamp("ms", tz="UTC")

WORDS = ("alt", "figcaption", "title", "aria_label", "link_text", "og", "json_ld")
"""The places an image's words can come from, as column names; `caption_source` holds one of these."""

CANDIDATES = pa.schema(
    [
        _field("uid", pa.string(), "128-bit hash of normalised URL and caption, 32 hex digits (`allmende.uid`)."),
        _field("url", pa.string(), "Image URL, absolute, normalised by the WHATWG URL standard, without fragment."),
        _field(
            "caption",
            pa.string(),
            "The words chosen as caption: the first of `extract.caption_sources` that passes the rules.",
        ),
        _field("caption_source", pa.string(), "Which column the caption came from: alt, figcaption, ..."),
        _field(
            "found_in",
            pa.string(),
            "Element or field that held the link: img, srcset, picture, lazy, noscript, a, og:image, twitter:image, image_src, json-ld; table for a URL table.",
        ),
        _field("alt", pa.string(), "The image's alt text."),
        _field("figcaption", pa.string(), "Text of the <figcaption> of the enclosing <figure>."),
        _field("title", pa.string(), "The image's title attribute."),
        _field("aria_label", pa.string(), "The image's aria-label."),
        _field("link_text", pa.string(), "Text of the link to the image, or around it."),
        _field("og", pa.string(), "og:image:alt, twitter:image:alt, else og:title; only with og:image and its kin."),
        _field("json_ld", pa.string(), "caption, name or description of the JSON-LD ImageObject."),
        _field("text_before", pa.string(), "Up to `extract.context_chars` characters of page text before the image."),
        _field("text_after", pa.string(), "The same, after the image."),
        _field("language", pa.string(), "Language of the caption, ISO 639-1, or und."),
        _field("language_score", pa.float32(), "Confidence of `language`, 0..1."),
        _field("page_url", pa.string(), "URL of the page that showed the image."),
        _field("page_language", pa.string(), "Language the page declares (html lang, Content-Language)."),
        _field("page_license", pa.string(), "rel=license target or schema.org licence of the page."),
        _field(
            "page_license_id",
            pa.string(),
            "The licence that `page_license` is known as, in lower case: an SPDX id such as cc-by-4.0 where there is one.",
        ),
        _field(
            "page_robots",
            pa.string(),
            "Raw content of the page's meta robots tags, a line for each; of a tag that names an agent, `agent: content`.",
        ),
        _field("page_x_robots_tag", pa.string(), "Raw X-Robots-Tag headers of the page; several joined by a newline."),
        _field(
            "page_tdm_reservation",
            pa.string(),
            "Raw tdm-reservation of the page: meta tag, else header; a value other than 0 and 1 only if there is no better.",
        ),
        _field("page_tdm_policy", pa.string(), "Raw tdm-policy of the page (meta tag, else header)."),
        _field(
            "page_content_usage", pa.string(), "Raw Content-Usage headers of the page; several joined by a newline."
        ),
        _field(
            "page_rsl",
            pa.string(),
            "RSL licences of the page, a line for each: the URL that a <link> or Link header names, or the XML in a <script>.",
        ),
        _field("crawl", pa.string(), "Crawl id, such as CC-MAIN-2026-43; null for local archives."),
        _field("warc_file", pa.string(), "WARC file that holds the page's capture, as the archive names it."),
        _field("warc_offset", pa.int64(), "Byte offset of the capture's record in `warc_file`."),
        _field("warc_length", pa.int64(), "Compressed length of that record in bytes."),
        _field("captured_at", _UTC, "When the page was captured."),
        _field(
            "url_key",
            pa.uint64(),
            "64-bit hash of the image URL: puts equal URLs side by side, and hosts in random order.",
        ),
        _field("host_key", pa.uint64(), "64-bit hash of the image URL's host; its high bits choose the bucket."),
        _field("caption_key", pa.uint64(), "64-bit hash of the caption, lower-cased, to count how often it is seen."),
        _field("seen", pa.int32(), "Number of occurrences that this row stands for."),
    ]
)
"""A row for each image link with words: the table of `candidates/` and, after dedup, of `unique/`."""

CAPTURES = pa.schema(
    [
        _field("url", pa.string(), "URL of the captured image, normalised."),
        CANDIDATES.field("url_key"),
        CANDIDATES.field("host_key"),
        _field("archive", pa.string(), "Location of the archive that holds it."),
        _field("offset", pa.int64(), "Byte offset of its record there."),
        _field("length", pa.int64(), "Compressed length of the record in bytes."),
        _field("captured_at", _UTC, "When it was captured."),
    ]
)
"""A row for each image that an archive holds itself: where archive mode takes its bytes from."""

FETCH_FACTS = pa.schema(
    [
        _field("final_url", pa.string(), "URL that answered, after redirects."),
        _field("http_status", pa.int16(), "HTTP status of the last response; null when there was none."),
        _field("content_type", pa.string(), "Raw Content-Type header."),
        _field("x_robots_tag", pa.string(), "Raw X-Robots-Tag headers of the file; several joined by a newline."),
        _field("last_modified", pa.string(), "Raw Last-Modified header."),
        _field("etag", pa.string(), "Raw ETag header."),
        _field("fetched_at", _UTC, "When the answer was complete (clock column)."),
        _field("fetch_ms", pa.int32(), "Milliseconds from the first request to the last byte (clock column)."),
        _field("bytes_received", pa.int64(), "Body bytes on the wire."),
    ]
)
"""What the fetch of one URL saw; part of samples and of failures alike."""

SIGNAL = pa.struct(
    [
        _field("name", pa.string(), "Kind of signal: a key of `permission` in the recipe, such as tdmrep."),
        _field("says", pa.string(), "deny, allow, or unknown for a value that can't be read."),
        _field("value", pa.string(), "The statement as written, at most 500 characters."),
        _field("url", pa.string(), "Document it stood in; empty for the media file itself."),
        _field("field", pa.string(), "Header, element or property; empty for a line of a file."),
        _field("line", pa.int32(), "Line number from 1, in files that have lines."),
        _field("at", _UTC, "When it was read or captured (clock column)."),
    ]
)
"""A machine-readable statement about mining or training: `allmende.permission.Signal`."""

PERMISSION_FACTS = pa.schema(
    [
        _field(
            "signals", pa.list_(pa.field("item", SIGNAL)), "Every permission signal that was seen, with its source."
        ),
        _field("policy", pa.string(), "Policy that judged them, name/version; + marks a table changed by the recipe."),
        _field("verdict", pa.string(), "allowed, or the name of the signal that denied."),
    ]
)
"""The record of permission; part of samples and of failures alike. Null in rows that were dropped before."""

HOSTS = pa.schema(
    [
        _field("kind", pa.string(), "robots.txt, tdmrep.json, ai.txt, or rsl for a licence."),
        _field("url", pa.string(), "As asked for, before redirects. Signals name it as their source."),
        _field("status", pa.int16(), "HTTP status of the last response; null when there was none."),
        _field("reason", pa.string(), "Why there is no body, a value of `Reason`; null if there is one."),
        _field("fetched_at", _UTC, "When the answer was complete (clock column)."),
        _field("sha256", pa.string(), "SHA-256 of the body, hex."),
        _field("body", pa.binary(), "As the host sent it, content encoding undone, at most 2 MiB."),
    ]
)
"""What hosts were asked about mining and training, and said: the table of `hosts/`, a folder a day (UTC). Read it with
`Dataset.hosts`, which gives each answer once for each day and digest."""

ROBOTS_CAPTURES = pa.schema(
    [
        _field("url", pa.string(), "URL of the robots.txt that was captured, normalised."),
        CANDIDATES.field("host_key"),
        _field("status", pa.int16(), "HTTP status."),
        _field("location", pa.string(), "Where it redirects to, absolute; else null."),
        _field("body", pa.binary(), "As the host sent it, encodings undone, at most 2 MiB."),
        _field("captured_at", _UTC, "When it was captured."),
        _field("archive", pa.string(), "Location of the archive that holds it."),
        _field("offset", pa.int64(), "Byte offset of its record there."),
    ]
)
"""robots.txt as hosts had it when they were crawled: the table of `robots/`, from `permission.captures`."""

IMAGE_FACTS = pa.schema(
    [
        _field("sha256", pa.string(), "SHA-256 of the original bytes, hex."),
        _field(
            "phash", pa.string(), "PDQ perceptual hash of the decoded image, 64 hex digits (`allmende.media.phash`)."
        ),
        _field("phash_quality", pa.int16(), "PDQ quality, 0..100: below 50 the image has too little detail to match."),
        _field("preview", pa.string(), "BlurHash of the image: a blurred preview in some 30 characters."),
        _field("original_format", pa.string(), "jpeg, png, webp, gif, avif, bmp or tiff."),
        _field("original_width", pa.int32(), "Width before any transformation, EXIF orientation applied, pixels."),
        _field("original_height", pa.int32(), "Height before any transformation, EXIF orientation applied, pixels."),
        _field("original_bytes", pa.int64(), "Size of the original file in bytes."),
        _field("width", pa.int32(), "Width of the stored image, pixels."),
        _field("height", pa.int32(), "Height of the stored image, pixels."),
        _field("format", pa.string(), "Format of the stored image: jpg, png, webp, avif."),
        _field(
            "exif",
            pa.string(),
            "Kept EXIF facts as JSON (camera, exposure, copyright, ...): never position, serial numbers or owner.",
        ),
    ]
)
"""What decoding an image yields beside its pixels."""

SAMPLES = pa.schema(
    [
        *CANDIDATES,
        *FETCH_FACTS,
        *PERMISSION_FACTS,
        *IMAGE_FACTS,
        _field("order_key", pa.uint64(), "Seeded hash of uid; samples are released in its order."),
        _field("data_offset", pa.int64(), "Byte offset of the stored image in the part's .bin file."),
        _field("data_size", pa.int64(), "Size of the stored image in bytes."),
    ]
)
"""A row for each image kept: the table of `samples/`. Its bytes lie in the .bin file of the same part."""

REASON_FIELD = _field("reason", pa.string(), "Why the row was dropped: a value of `Reason`.")

FAILURES = pa.schema([*CANDIDATES, *FETCH_FACTS, *PERMISSION_FACTS, REASON_FIELD])
"""A row for each candidate that yielded no sample: the `.dropped.parquet` of `samples/`."""

_PAGE = tuple(CANDIDATES.field(name) for name in CANDIDATES.names if name.startswith("page_") and name != "page_url")
_PLACE = tuple(CANDIDATES.field(name) for name in ("crawl", "warc_file", "warc_offset", "warc_length", "captured_at"))
LANGUAGE_SHARE = pa.struct(
    [
        _field("language", pa.string(), "ISO 639-1, or und."),
        _field("share", pa.float32(), "Share of the text's characters, 0..1."),
    ]
)

DOCUMENTS = pa.schema(
    [
        _field("uid", pa.string(), "128-bit hash of URL and text, 32 hex digits (`allmende.uid`)."),
        _field("url", pa.string(), "URL of the page, normalised by the WHATWG URL standard, without fragment."),
        _field("text", pa.string(), "Main text, lines ended by line feeds, personal data replaced."),
        _field("markdown", pa.string(), "The same as Markdown; null unless `text.markdown`."),
        _field("title", pa.string(), "Title of the page or article."),
        _field("author", pa.string(), "Author, as the page names them."),
        _field("date", pa.string(), "When it was published or changed, as the page says: ISO 8601."),
        _field("language", pa.string(), "Language of the text, ISO 639-1 (nb and nn apart), or und."),
        _field("language_score", pa.float32(), "Confidence of `language`, 0..1."),
        _field(
            "languages",
            pa.list_(pa.field("item", LANGUAGE_SHARE)),
            "Languages of its paragraphs, the largest share first.",
        ),
        *_PAGE,
        *_PLACE,
        _field(
            "extractor", pa.string(), "What took the main text off the page; plain for plain text, wet for a WET file."
        ),
        _field("chars", pa.int32(), "Characters of the text."),
        _field("words", pa.int32(), "Words of the text, cut at white space."),
        _field("tokens", pa.int32(), "Tokens of the text; null unless a tokenizer was named."),
        _field(
            "repeated_chars",
            pa.int32(),
            "Characters that were taken out of the text with lines which many pages of its host have; null unless `repeats.unit` says so.",
        ),
        _field(
            "quality",
            pa.map_(pa.string(), pa.float64()),
            "Value of each quality measure by its name; null unless `quality.signals`.",
        ),
        _field(
            "text_key",
            pa.uint64(),
            "64-bit hash of the text, case folded and white space collapsed: equal for exact duplicates.",
        ),
        _field("url_key", pa.uint64(), "64-bit hash of the URL."),
        _field("host_key", pa.uint64(), "64-bit hash of the URL's host."),
        _field("seen", pa.int32(), "Number of documents with this text, this one included."),
        _field(
            "cluster_size",
            pa.int32(),
            "Number of documents in its cluster of near-duplicates, equal ones and this one included; null in `documents/`.",
        ),
        *PERMISSION_FACTS,
        _field("order_key", pa.uint64(), "Seeded hash of uid; documents are released in its order."),
    ]
)
"""A row for each document: the table of `documents/`, and of a release of text."""

PAGES = pa.schema(
    [
        *(DOCUMENTS.field(name) for name in ("url", "text", "markdown", "title", "author", "date")),
        *_PAGE,
        *_PLACE,
        *(DOCUMENTS.field(name) for name in ("extractor", "host_key")),
        *PERMISSION_FACTS,
    ]
)
"""A row for each page that has a main text, before lines are taken out of it and it is judged: the table of `pages/`, which is
there if `repeats.unit` says so."""

DOCUMENT_KEYS = pa.schema(
    [
        DOCUMENTS.field("text_key"),
        _field("uid", pa.binary(16), "The document's uid, 16 bytes."),
        _field("part", pa.int32(), "Number of the part of `documents/` that holds it."),
        _field("row", pa.int32(), "Its row in that part, from 0."),
        DOCUMENTS.field("captured_at"),
        DOCUMENTS.field("language"),
        DOCUMENTS.field("seen"),
    ]
)
"""A row for each document, without its words: what finding duplicates takes. Followed by a column for each MinHash band,
`band_00` and so on; null for a text with fewer words than a run."""
