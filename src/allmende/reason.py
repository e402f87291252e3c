"""The fates of rows: the closed list of why one was dropped.

Apart from the tables (`allmende.schema`, which has it too), so that processes that only judge need not load Arrow.
"""

from enum import StrEnum
from typing import Self


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
        "The record's payload is larger than `extract.max_page_bytes`, before or after decompression; or its links share words "
        "so long that they would take more than 64 MiB.",
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
    TEXT_GARBLED = (
        "text_garbled",
        "text",
        "More than `text.max_garbled` of the text's characters show a wrong charset: � or Ã¼.",
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
        "The caption shows a wrong charset that can't be mended (Gr�n, Grün und GrÃ¼n), HTML tags or a template that nobody filled ({{title}}).",
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
