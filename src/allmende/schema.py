"""The tables of a dataset: the Arrow schemas below are the columns of each table on disk.

The metadata of each field is its documentation, from which `docs/reference/` is generated, as from `Reason`.
"""

import pyarrow as pa

from allmende.reason import Reason as Reason  # noqa: PLC0414 - whoever reads tables finds it here

FORMAT_VERSION = 1
"""Version of the dataset layout on disk. A reader refuses a larger one."""


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
        _field(
            "extra",
            pa.string(),
            "Columns of the URL table that `select.keep_columns` names, as a JSON object; columns of their own in a release.",
        ),
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

DROPPED_PAGES = pa.schema(
    [
        DOCUMENTS.field("url"),
        REASON_FIELD,
        _field("language", pa.string(), "Language of the text, as far as it was known."),
        _field("chars", pa.int32(), "Characters of the text that was judged."),
        _field(
            "text",
            pa.string(),
            "This text, personal data replaced; null if there was none yet, or the page reserves it.",
        ),
        *_PLACE,
    ]
)
"""A row for each page that became no document: the `.dropped.parquet` of `documents/`, and of `pages/`, if `text.keep_dropped`
asks for it. What is known for illegal content or was taken down is not in it."""

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
