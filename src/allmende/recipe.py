"""A recipe: everything that decides what a dataset becomes, as frozen values, read from TOML.

Every key has a type, bounds, a default and a description; `docs/reference/recipe.md` and the comments
that `allmende init` writes are generated from them. The resolved recipe (all defaults written out) is
stored beside the data as `recipe.toml`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a recipe's tables: immutable, no unknown keys."""


def _about(text: str, **bounds: Any) -> Meta:
    return Meta(description=text, **bounds)


class Dataset(Section, frozen=True, kw_only=True):
    """What the dataset is called and where it goes."""

    name: Annotated[str, _about("Name of the dataset, used in the card and as folder name.", min_length=1)]
    kind: Annotated[
        Literal["images", "text"],
        _about("What is built: images with their words, or documents. Decides which sections count."),
    ] = "images"
    output: Annotated[
        str,
        _about(
            "Folder of the dataset: a path or an fsspec URL (s3://bucket/name). Default: the name, if it can be one."
        ),
    ] = ""
    description: Annotated[str, _about("A sentence for the dataset card.")] = ""
    license: Annotated[str, _about("Licence of the table you publish (images and texts keep their own).")] = "cc-by-4.0"
    contact: Annotated[
        str,
        _about("E-mail or web address of whoever runs the crawl; part of the User-Agent. Needed above 10,000 URLs."),
    ] = ""
    seed: Annotated[int, _about("Seed of every random choice: which archives, which order.", ge=0)] = 0


class Select(Section, frozen=True, kw_only=True):
    """Which archives, or which URL table, to read."""

    crawl: Annotated[str, _about("Common Crawl id (CC-MAIN-2026-43); `allmende crawls` lists them.")] = ""
    kind: Annotated[
        Literal["wat", "warc", "wet"],
        _about(
            "Which files of the crawl: wat (links only, small), warc (whole pages) or, for text, wet (all words of a page, its reservations unknown). Text has warc unless told otherwise."
        ),
    ] = "wat"
    files: Annotated[
        int, _about("How many of the crawl's files, drawn without replacement with `dataset.seed`; 0 takes all.", ge=0)
    ] = 10
    source: Annotated[str, _about("Where the crawl lies: https, s3, a base URL, or the folder of a local mirror.")] = (
        "https"
    )
    archives: Annotated[
        tuple[str, ...], _about("Instead of a crawl: WARC, WAT or WET files by path, glob or URL.")
    ] = ()
    urls: Annotated[
        tuple[str, ...],
        _about(
            "Instead of archives: tables of image URLs (parquet, csv, tsv, json, jsonl, txt; also .gz). They are your choice: no caption or URL rule applies to them."
        ),
    ] = ()
    url_column: Annotated[str, _about("Column of `urls` that holds the image URL.")] = "url"
    caption_column: Annotated[
        str,
        _about(
            "Column of `urls` that holds the caption; empty for none. Where it is not there: an error, but for `caption`."
        ),
    ] = "caption"
    keep_columns: Annotated[
        tuple[str, ...],
        _about(
            "Further columns of `urls` that go into the release, under their names: numbers and true or false of Parquet as such, all else as text."
        ),
    ] = ()
    cache: Annotated[str, _about("Folder that keeps downloaded archives; empty streams them without keeping.")] = ""
    retries: Annotated[int, _about("How often a failed archive request is repeated, with backoff.", ge=0)] = 8


class Extract(Section, frozen=True, kw_only=True):
    """What is read off a page."""

    caption_sources: Annotated[
        tuple[Literal["alt", "figcaption", "title", "aria_label", "link_text", "og", "json_ld"], ...],
        _about(
            "Where a caption may come from; the first that passes the caption rules is taken. link_text counts only if it is named: without it, a link to an image file (WARC only) needs a figcaption."
        ),
    ] = ("alt", "figcaption", "title", "aria_label", "og", "json_ld")
    context_chars: Annotated[
        int, _about("Characters of page text kept before and after an image (WARC only).", ge=0, le=10_000)
    ] = 200
    max_url_chars: Annotated[int, _about("Longer URLs are dropped.", ge=10)] = 2_000
    max_page_bytes: Annotated[int, _about("Larger pages are dropped, compressed or not.", ge=1_000)] = 20_000_000
    keep_dropped: Annotated[
        bool, _about("Keep the rows that the caption rules drop, with their Reason, in `candidates/*.dropped.parquet`.")
    ] = False


class Captions(Section, frozen=True, kw_only=True):
    """Rules for the words. Each drops with its own Reason."""

    min_chars: Annotated[int, _about("Fewest characters; CJK characters count two (LAION-400M: 5).", ge=0)] = 5
    max_chars: Annotated[int, _about("Most characters (COYO-700M: 1000).", ge=1)] = 1_000
    min_words: Annotated[
        int,
        _about(
            "Fewest words (COYO-700M: 3; DataComp basic: 3). Every ten letters of a word count as one more; a Han or kana character is half a word, a Thai, Lao, Burmese or Khmer one a quarter.",
            ge=0,
        ),
    ] = 2
    max_words: Annotated[int, _about("Most words (COYO-700M: 256).", ge=1)] = 256
    min_letter_ratio: Annotated[float, _about("Fewest letters per character, spaces not counted.", ge=0, le=1)] = 0.5
    max_repetition: Annotated[
        float, _about("Largest share of the caption that may repeat words or patterns from before.", ge=0, le=1)
    ] = 0.5
    drop_file_names: Annotated[bool, _about("Drop captions that are file names or camera numbers.")] = True
    drop_placeholders: Annotated[bool, _about("Drop 'image', 'logo', 'untitled' and their translations.")] = True
    drop_boilerplate: Annotated[bool, _about("Drop 'click to enlarge' and its translations.")] = True
    drop_urls: Annotated[bool, _about("Drop captions that contain a URL.")] = True
    drop_garbled: Annotated[
        bool, _about("Drop captions with traces of a wrong charset, of HTML tags or of a template that nobody filled.")
    ] = True
    languages: Annotated[
        tuple[str, ...], _about("Languages to keep (ISO 639-1; und for undecided); empty keeps all.")
    ] = ()
    min_language_score: Annotated[float, _about("Below this confidence a caption's language is und.", ge=0, le=1)] = 0.5


class Urls(Section, frozen=True, kw_only=True):
    """Rules for image URLs."""

    blocked: Annotated[
        tuple[str, ...], _about("Regular expressions (case-insensitive) added to the built-in ones.")
    ] = ()
    block_defaults: Annotated[
        bool, _about("Apply the built-in patterns: tracking pixels, icons, sprites, spacers, SVG.")
    ] = True


class Text(Section, frozen=True, kw_only=True):
    """What a page must be to become a document, and how its main text is taken off it."""

    languages: Annotated[
        tuple[str, ...],
        _about(
            "Languages to keep (ISO 639-1; nb and nn apart); empty keeps all that `quality.preset` has thresholds for."
        ),
    ] = ()
    min_language_score: Annotated[
        float, _about("Below this confidence a document's language counts as unknown (FineWeb: 0.65).", ge=0, le=1)
    ] = 0.65
    min_chars: Annotated[int, _about("Fewest characters of main text.", ge=0)] = 200
    max_chars: Annotated[int, _about("Most characters of main text.", ge=1)] = 2_000_000
    max_garbled: Annotated[
        float,
        _about(
            "Largest share of characters that show a wrong charset (�, Ã¼) and could not be mended; 1 keeps all. Of German characters one in a hundred is ä, ö, ü or ß.",
            ge=0,
            le=1,
        ),
    ] = 0.005
    careful: Annotated[
        bool,
        _about(
            "Read pages that pass a first, cheap look once more with the careful extractor; false keeps the cheap text."
        ),
    ] = True
    extract_seconds: Annotated[float, _about("Deadline for the careful extraction of one page.", gt=0)] = 10.0
    extract_bytes: Annotated[int, _about("Memory cap of one extractor process.", ge=100_000_000)] = 2_000_000_000
    markdown: Annotated[bool, _about("Keep the main text as Markdown, too: headings, lists, tables, code.")] = False
    keep_dropped: Annotated[
        bool,
        _about(
            "Keep the pages that become no documents, with Reason and text, in `*.dropped.parquet` beside the others."
        ),
    ] = False


class Repeats(Section, frozen=True, kw_only=True):
    """Lines that many pages of a host have: menus, notices, teasers. They go from every text, before it is judged."""

    unit: Annotated[
        Literal["off", "line", "paragraph"],
        _about(
            "What is taken out: lines (the careful extractor makes one of each paragraph), paragraphs (what stands between empty lines, as in plain text), or off for nothing, as in the pipelines that the presets reproduce. Worth it for WET files, and for many pages of few sites."
        ),
    ] = "off"
    documents: Annotated[int, _about("A line goes that so many different pages of its host have.", ge=2)] = 10
    share: Annotated[
        float,
        _about("And at least this share of its host's pages: a lower one also takes what they are about.", ge=0, le=1),
    ] = 0.1


class Quality(Section, frozen=True, kw_only=True):
    """Rules for documents. Each drops with its own Reason."""

    preset: Annotated[
        Literal["fineweb", "fineweb-2", "gopher", "gopher-dolma", "c4", "c4-original", "dclm-heuristics", "none"],
        _about(
            "Rules and thresholds of a published pipeline: fineweb (English), fineweb-2 (by language; English by fineweb), gopher, gopher-dolma, c4, c4-original, dclm-heuristics (English); none keeps all. See [text presets](text-presets.md)."
        ),
    ] = "fineweb-2"
    signals: Annotated[
        bool,
        _about(
            "Measure every rule for every document and store the values, so that thresholds can change without reading pages again. The rules apply all the same, in a step of their own."
        ),
    ] = False
    limits: Annotated[
        tuple[str, ...],
        _about(
            'Other thresholds than those of the preset, for all languages or for one: "word_count >= 30", "de: dup_line_frac <= 0.4".'
        ),
    ] = ()
    models: Annotated[
        tuple[str, ...],
        _about(
            'Models that score each document, and the scores that stay: "good = good.bin sha256:DIGEST label:__label__good >= 0.5" for a fastText classifier, "odd = de.arpa sha256:DIGEST <= 900" for the perplexity of an n-gram model. Without digest the build tells which it is.'
        ),
    ] = ()


class NearDuplicates(Section, frozen=True, kw_only=True):
    """Documents that are nearly the same: MinHash over runs of words; of a cluster one document stays."""

    remove: Annotated[
        bool, _about("Keep one document of a cluster; false keeps all and only tells the size of their cluster.")
    ] = True
    within: Annotated[
        Literal["language", "all"],
        _about("Which documents are compared: those of one language (as FineWeb-2), or all."),
    ] = "language"
    ngram: Annotated[int, _about("Words in a run (FineWeb: 5).", ge=1, le=50)] = 5
    bands: Annotated[
        int,
        _about(
            "Bands of a signature (FineWeb: 14); one in common makes two documents near. 0 compares nothing.",
            ge=0,
            le=256,
        ),
    ] = 14
    rows: Annotated[int, _about("Hash functions in a band (FineWeb: 8).", ge=1, le=64)] = 8
    seed: Annotated[int, _about("Seed of the hash functions.", ge=0)] = 1


class Decontamination(Section, frozen=True, kw_only=True):
    """Evaluation sets that must not be in documents. Those that have a run of words of one are dropped, and listed in the release."""

    sets: Annotated[
        tuple[str, ...],
        _about(
            "Files of evaluation sets by path or URL: jsonl and txt (also .gz, .zst), parquet. Their contents decide, not their names."
        ),
    ] = ()
    ngram: Annotated[int, _about("Words in a run (GPT-3: 13).", ge=1, le=100)] = 13
    least: Annotated[int, _about("Different runs of one set that a document must have.", ge=1)] = 1


class Dedup(Section, frozen=True, kw_only=True):
    """What counts as the same, and as too often."""

    earlier: Annotated[
        tuple[str, ...],
        _about(
            "Folders of earlier datasets, or of their releases; what they have is dropped here. Of text, what is near to it, too. "
            "A build that goes on notices if they have become others."
        ),
    ] = ()
    max_url_seen: Annotated[
        int, _about("An image URL seen more often (on more pages) is dropped (OBELICS: 10); 0 for no limit.", ge=0)
    ] = 10
    max_caption_seen: Annotated[
        int, _about("A caption with more different image URLs is dropped (COYO-700M: 10); 0 for no limit.", ge=0)
    ] = 10


class Fetch(Section, frozen=True, kw_only=True):
    """How files are asked for. The defaults are polite; raise them only for servers that are yours."""

    source: Annotated[
        Literal["web", "archive"],
        _about("web requests each URL; archive takes the bytes from the WARC files themselves."),
    ] = msgspec.field(default="web", name="from")
    concurrency: Annotated[int, _about("Requests under way at once, per worker.", ge=1)] = 256
    per_host: Annotated[int, _about("Requests under way at once, per host.", ge=1)] = 4
    host_delay_seconds: Annotated[
        float, _about("Shortest time between the starts of two requests to one host.", ge=0)
    ] = 0.0
    connect_seconds: Annotated[float, _about("Deadline for name resolution, and for TCP and TLS together.", gt=0)] = (
        10.0
    )
    first_byte_seconds: Annotated[float, _about("Deadline from the request to the response headers.", gt=0)] = 15.0
    idle_seconds: Annotated[float, _about("Longest pause between two reads of the body.", gt=0)] = 10.0
    total_seconds: Annotated[float, _about("Deadline for one try, redirects included.", gt=0)] = 60.0
    max_bytes: Annotated[int, _about("Largest body, on the wire and decompressed.", ge=1)] = 30_000_000
    bytes_in_flight: Annotated[
        int, _about("Budget for bodies in memory, per worker; requests wait when it is spent.", ge=1_000_000)
    ] = 256_000_000
    max_redirects: Annotated[int, _about("Redirects followed, each checked anew.", ge=0)] = 5
    retries: Annotated[
        int,
        _about("Repeats after a failure that may pass (429, 5xx, timeouts, resets); never after 404, 410, 403.", ge=0),
    ] = 2
    retry_seconds: Annotated[
        float, _about("First pause before a repeat; doubles each time, with jitter. Retry-After overrides it.", ge=0)
    ] = 1.0
    max_retry_after_seconds: Annotated[
        float, _about("A longer Retry-After sets the host aside instead of waiting.", ge=0)
    ] = 60.0
    host_failures: Annotated[int, _about("Connection failures in a row after which a host is set aside.", ge=1)] = 5
    host_pause_seconds: Annotated[
        float, _about("How long a host is set aside before one request tries it again.", ge=0)
    ] = 60.0
    ports: Annotated[tuple[int, ...], _about("Ports that may be asked.")] = (80, 443)
    allow_addresses: Annotated[
        tuple[str, ...],
        _about("Networks (CIDR) that may be asked although they are not public: for tests and intranets."),
    ] = ()
    verify_tls: Annotated[bool, _about("Check certificates.")] = True
    part_size: Annotated[int, _about("Candidates in a part, about; lost at most when a worker dies.", ge=1)] = 2_000


class Images(Section, frozen=True, kw_only=True):
    """What images must be, and how they are stored. Modes have img2dataset's names and meaning."""

    size: Annotated[int, _about("Target size in pixels, for `mode`.", ge=1)] = 256
    mode: Annotated[
        Literal["keep_ratio", "keep_ratio_largest", "center_crop", "border", "no"],
        _about(
            "keep_ratio: shorter side = size; keep_ratio_largest: longer side = size; center_crop: cut to a square; border: pad to a square; no: leave."
        ),
    ] = "keep_ratio"
    only_if_bigger: Annotated[bool, _about("Never enlarge.")] = True
    skip_reencode: Annotated[
        bool, _about("Store the original bytes where no resize was needed (after removing metadata).")
    ] = False
    format: Annotated[Literal["jpg", "png", "webp", "avif"], _about("Format of the stored image.")] = "jpg"
    quality: Annotated[int, _about("Encoder quality: 1..100; for png the compression level 0..9.", ge=0, le=100)] = 95
    min_bytes: Annotated[int, _about("Smallest original file (LAION: 5 KB).", ge=0)] = 5_000
    min_side: Annotated[int, _about("Fewest pixels of the shorter side.", ge=0)] = 64
    max_pixels: Annotated[int, _about("Most pixels, checked before decoding (Pillow's bomb limit).", ge=1)] = 89_478_485
    max_aspect_ratio: Annotated[float, _about("Longer side over shorter side (COYO-700M, DataComp: 3).", ge=1)] = 3.0
    drop_single_colour: Annotated[bool, _about("Drop images without content.")] = True
    decode_seconds: Annotated[float, _about("Deadline of one decode.", gt=0)] = 20.0
    decode_bytes: Annotated[int, _about("Memory cap of one decoder process.", ge=100_000_000)] = 2_000_000_000


_Action = Literal["preset", "deny", "allow", "ignore"]


class Permission(Section, frozen=True, kw_only=True):
    """Which machine-readable reservations are obeyed. preset: as `policy` says; deny: drop what is reserved; allow: record and keep; ignore: don't read."""

    policy: Annotated[
        Literal["eu-commercial", "eu-research", "strict", "off"],
        _about(
            "The table to start from: eu-commercial (§44b UrhG) obeys every signal; eu-research (§60d UrhG) obeys robots.txt and records the rest; strict also drops what can't be read; off reads nothing and needs `without_permission`."
        ),
    ] = "eu-commercial"
    robots_txt: Annotated[_Action, _about("robots.txt, for our own token.")] = "preset"
    robots_txt_ai: Annotated[_Action, _about("robots.txt, where it names an AI agent of `ai_agents`.")] = "preset"
    content_signal: Annotated[_Action, _about("Content-Signal lines of robots.txt (Cloudflare).")] = "preset"
    content_usage: Annotated[_Action, _about("Content-Usage, in robots.txt and as header (IETF AIPREF).")] = "preset"
    rsl: Annotated[_Action, _about("Really Simple Licensing: robots.txt, Link header, link element.")] = "preset"
    ai_txt: Annotated[_Action, _about("ai.txt (Spawning).")] = "preset"
    tdmrep: Annotated[_Action, _about("TDM Reservation Protocol: file, header, meta tag, XMP.")] = "preset"
    noai: Annotated[_Action, _about("noai, noimageai, noml in X-Robots-Tag and meta robots.")] = "preset"
    noindex: Annotated[_Action, _about("noindex, noimageindex, none in X-Robots-Tag and meta robots.")] = "preset"
    iptc_plus: Annotated[_Action, _about("PLUS Data Mining in the file's XMP.")] = "preset"
    c2pa: Annotated[_Action, _about("C2PA and CAWG training-mining assertions in the file.")] = "preset"
    unknown: Annotated[
        Literal["preset", "deny", "allow"], _about("A value that can't be read, of a signal that is obeyed.")
    ] = "preset"
    ai_agents: Annotated[
        tuple[str, ...],
        _about("Product tokens for `robots_txt_ai`, instead of the dated list that ships with Allmende."),
    ] = ()
    captures: Annotated[
        tuple[str, ...],
        _about(
            'Common Crawl\'s captures of robots.txt: "crawl" for those of `select.crawl`, or WARC files by path, glob or URL. They are obeyed in addition to what hosts say now.'
        ),
    ] = ()
    without_permission: Annotated[bool, _about('Confirms `policy = "off"`. The dataset card will say so.')] = False


class Safety(Section, frozen=True, kw_only=True):
    """What is never taken in, whatever its owner says; and what is masked."""

    replace_personal: Annotated[
        bool,
        _about("Replace e-mail and IP addresses, phone, bank, card and tax numbers in all words by placeholders."),
    ] = True
    tombstones: Annotated[
        str, _about("Folder or URL of a take-down log to obey, shared between datasets; empty for the dataset's own.")
    ] = ""
    hash_lists: Annotated[
        tuple[str, ...],
        _about(
            'Lists of known illegal content: text files of md5, sha1, sha256 or PDQ hashes, URLs or domains, by path or as "kind:path"; salted or encrypted with age. What they hit is dropped, counted, and neither stored nor named.'
        ),
    ] = ()
    list_key: Annotated[
        str, _about('Where the key of encrypted lists is: "env:NAME" or "file:PATH"; never the key itself.')
    ] = ""
    pdq_distance: Annotated[
        int, _about("Bits of 256 in which a PDQ hash may differ from one of a list (Facebook: 31).", ge=0, le=63)
    ] = 31
    hits_key: Annotated[
        str,
        _about(
            'Where the secret is that keys the hashes of `allmende report --hits`: "env:NAME" or "file:PATH"; empty makes one in the dataset\'s folder.'
        ),
    ] = ""
    domain_lists: Annotated[
        tuple[str, ...],
        _about(
            'Lists of unwanted domains and URLs: "default" (small, ships with Allmende), "ut1:FOLDER" (a folder for each category), or a plain, hosts or Adblock file, whose name is its category.'
        ),
    ] = ("default",)
    drop_categories: Annotated[
        tuple[str, ...],
        _about("Categories of `domain_lists` that are dropped, by host and URL of image and page."),
    ] = ("tracking", "piracy", "adult")


class Publish(Section, frozen=True, kw_only=True):
    """The form of the release."""

    sink: Annotated[
        str,
        _about(
            "webdataset (tar, as img2dataset), parquet (Hugging Face), files, jsonl (text), or a plug-in's name. Text has parquet unless told otherwise."
        ),
    ] = "webdataset"
    shard_size: Annotated[int, _about("Samples in a shard, on average.", ge=1)] = 10_000
    tokenizer: Annotated[
        str,
        _about(
            "Count the tokens of each document: path of a tokenizer.json, or a name on the Hugging Face Hub. Needs the extra `tokenizer`."
        ),
    ] = ""


class Run(Section, frozen=True, kw_only=True):
    """How the work is spread. Nothing here changes the result."""

    workers: Annotated[int, _about("Worker processes; 0 for one per core.", ge=0)] = 0
    max_parts: Annotated[int, _about("Archives are grouped into at most this many parts.", ge=1)] = 256


class Recipe(Section, frozen=True, kw_only=True):
    """All of the above. See `load` and `dump`."""

    dataset: Dataset
    select: Select = Select()
    extract: Extract = Extract()
    captions: Captions = Captions()
    urls: Urls = Urls()
    text: Text = Text()
    repeats: Repeats = Repeats()
    quality: Quality = Quality()
    near_duplicates: NearDuplicates = NearDuplicates()
    decontamination: Decontamination = Decontamination()
    dedup: Dedup = Dedup()
    fetch: Fetch = Fetch()
    images: Images = Images()
    permission: Permission = Permission()
    safety: Safety = Safety()
    publish: Publish = Publish()
    run: Run = Run()
