"""What robots.txt of 50,000 hosts says about 1,000,000 URLs, and whom else one could ask. Figures of docs/decisions/0007-robots.md.

    python benchmarks/permission_verdicts.py                       # one process, one core
    pip install protego robotspy fast-robotstxt gpyrobotstxt jwm.robotstxt
    python benchmarks/permission_verdicts.py --peers               # the same job with others
    python benchmarks/permission_verdicts.py --vectors             # who reads RFC 9309 how: no timing

The bodies lie in a Parquet file, as a dataset keeps them; reading it is part of the time. A parser that is not installed
is left out.
"""

import random
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.permission.agents import shipped
from allmende.permission.host_rules import RobotsRules, Said
from allmende.permission.policy import PRESETS, Policy
from allmende.permission.robots import Matcher, octets, parse, path_of

VECTORS = Path(__file__).parents[1] / "tests/unit/permission/robots_vectors.toml"

CanFetch = Callable[[bytes, str, str], bool]
Ask = Callable[[str, str], bool]

WORDPRESS = (
    "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: https://{host}/wp-sitemap.xml\n"
)
MANAGED = """\
# As a condition of accessing this website, you agree to abide by the following content signals:
# (a) If a Content-Signal = yes, you may collect content for the corresponding use.
# (b) If a Content-Signal = no, you may not collect content for the corresponding use.
# BEGIN Cloudflare Managed content
User-agent: *
Content-Signal: search=yes,ai-train=no,use=reference
Allow: /

{groups}# END Cloudflare Managed Content

User-agent: *
Disallow: /{word}/
Sitemap: https://{host}/sitemap.xml
"""
MANAGED_AGENTS = (
    "Amazonbot Applebot-Extended Bytespider CCBot ClaudeBot CloudflareBrowserRenderingCrawler Google-Extended GPTBot "
    "meta-externalagent"
)
SHOP = ("admin", "cart", "orders", "checkouts", "account", "collections", "blogs", "policies", "search", "apps")


def groups(names: list[str]) -> str:
    return "".join(f"User-agent: {name}\nDisallow: /\n\n" for name in names)


def body(host: str, rng: random.Random) -> tuple[int | None, str]:
    """Status and body of one host's robots.txt. The shares are a guess, on the long side for lists of AI agents."""
    word = f"dir{rng.randrange(10_000)}"
    names = [agent.name for agent in shipped().agents]
    listed = "".join(f"User-agent: {name}\n" for name in names)
    shop = "".join(f"Disallow: /{a}/*{b}*\nDisallow: /{b}\n" for a, b in zip(SHOP * 3, SHOP[1:] * 3, strict=False))
    few = "".join(f"Disallow: /{word}/{i}/\nAllow: /{word}/{i}/public/*.jpg$\n" for i in range(12))
    kinds: list[tuple[float, int | None, str]] = [
        (0.22, 404, ""),
        (0.05, 503, ""),
        (0.03, None, ""),
        (0.06, 200, "<!doctype html><html><body>" + f"<p>Page {word} not found.</p>\n" * 100),
        (0.08, 200, "User-agent: *\nDisallow:\n"),
        (0.24, 200, WORDPRESS.format(host=host)),
        (0.12, 200, MANAGED.format(host=host, word=word, groups=groups(MANAGED_AGENTS.split()))),
        (0.08, 200, f"User-agent: *\nDisallow: /{word}/\n\n" + groups(names)),
        (0.03, 200, f"{listed}Disallow: /\n\nUser-agent: *\nDisallow: /{word}\nContent-Usage: train-ai=n\n"),
        (0.05, 200, f"User-agent: *\n{shop}\nUser-agent: Nutch\nDisallow: /\n\nUser-agent: x\nCrawl-delay: 10\n"),
        (0.04, 200, f"User-agent: *\n{few}Disallow: /*?*session=\nDisallow: /*.pdf$\n"),
    ]
    ((_, status, text),) = rng.choices(kinds, [share for share, *_ in kinds])
    return status, text


def make(folder: Path, hosts: int, urls: int) -> tuple[Path, list[str]]:
    """The bodies as a table on disk, and URLs, many of few hosts and few of many, grouped by host as in a bucket."""
    rng = random.Random(9309)
    names = [f"host{i}.example" for i in range(hosts)]
    answers = [body(name, rng) for name in names]
    table = pa.table(
        {
            "host": names,
            "status": pa.array([status for status, _ in answers], pa.int16()),
            "body": pa.array([text.encode() for _, text in answers], pa.binary()),
        }
    )
    pq.write_table(table, folder / "hosts.parquet", compression="zstd")
    counts = [1] * hosts
    for host in rng.choices(range(hosts), [1 / (i + 10) for i in range(hosts)], k=urls - hosts):
        counts[host] += 1
    return folder / "hosts.parquet", [
        f"https://{name}/{rng.choice(('wp-content/uploads', 'images', 'media/cache', 'dir7'))}/{rng.randrange(2026)}/"
        f"{rng.randrange(10**9):09x}.jpg{rng.choice(('', '', '?w=300&h=200', '?v=%41b'))}"
        for name, count in zip(names, counts, strict=True)
        for _ in range(count)
    ]


def rows(path: Path) -> Iterator[tuple[str, int | None, bytes]]:
    table = pq.read_table(path, use_threads=False)
    yield from zip(*(table[name].to_pylist() for name in ("host", "status", "body")), strict=True)


def ours(path: Path, urls: list[str], policy: Policy) -> int:
    """How many URLs are denied."""
    hosts = {
        host: RobotsRules(Said(url=f"https://{host}/robots.txt", status=status, body=text))
        for host, status, text in rows(path)
    }
    denied = 0
    for url in urls:
        rules = hosts[url[8 : url.index("/", 8)]]
        denied += policy.deciding(rules.signals(path_of(url))) is not None
    return denied


def peer(compile_: Callable[[str], Ask], path: Path, urls: list[str], agents: list[str]) -> int:
    """How many URLs robots.txt denies to any of some agents, by another parser; no other signals."""
    hosts = {}
    wanted = {url.split("/", 3)[2] for url in urls}
    for host, status, text in rows(path):
        if host not in wanted:
            continue
        missing = status is not None and 400 <= status < 500
        unreachable = status is None or status >= 500
        body = "" if missing else "User-agent: *\nDisallow: /" if unreachable else text.decode("utf-8", "replace")
        hosts[host] = compile_(body)
    denied = 0
    for url in urls:
        can_fetch = hosts[url[8 : url.index("/", 8)]]
        denied += any(not can_fetch(url, agent) for agent in agents)
    return denied


def protego(body: str) -> Ask:
    from protego import Protego

    return Protego.parse(body).can_fetch  # type: ignore[no-any-return]


def fast_robotstxt(body: str) -> Ask:
    from robotstxt import RobotsMatcher

    matcher = RobotsMatcher()
    return lambda url, agent: matcher.is_allowed(body, agent, url)


def measure(name: str, count: int, job: Callable[[], int]) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    denied = job()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"{name}: {count:,} URLs, {denied:,} denied, {wall:.1f} s ({cpu:.1f} s CPU), {cpu / count * 1e6:.1f} µs a URL"
    )


def _allmende(text: bytes, agent: str, path: str) -> bool:
    rule = Matcher(rule for group in parse(text).applicable(agent) for rule in group.rules).match(octets(path))
    return rule is None or rule.allow


def _stdlib(text: bytes, agent: str, path: str) -> bool:
    from urllib.robotparser import RobotFileParser

    parser = RobotFileParser()
    parser.parse(text.decode("utf-8").splitlines())
    return parser.can_fetch(agent, f"https://a.example{path}")


def _protego(text: bytes, agent: str, path: str) -> bool:
    from protego import Protego

    return bool(Protego.parse(text.decode("utf-8")).can_fetch(f"https://a.example{path}", agent))


def _robotspy(text: bytes, agent: str, path: str) -> bool:
    from robots import RobotsParser

    return bool(RobotsParser.from_string(text.decode("utf-8")).can_fetch(agent, f"https://a.example{path}"))


def _fast_robotstxt(text: bytes, agent: str, path: str) -> bool:
    from robotstxt import RobotsMatcher

    return bool(RobotsMatcher().is_allowed(text.decode("utf-8"), agent, f"https://a.example{path}"))


def _gpyrobotstxt(text: bytes, agent: str, path: str) -> bool:
    from gpyrobotstxt.robots_cc import RobotsMatcher

    return bool(RobotsMatcher().one_agent_allowed_by_robots(text, agent, f"https://a.example{path}"))


def _jwm(text: bytes, agent: str, path: str) -> bool:
    from jwm.robotstxt.googlebot import RobotsMatcher

    return bool(RobotsMatcher().OneAgentAllowedByRobots(text, agent, f"https://a.example{path}"))


PARSERS: dict[str, CanFetch] = {
    "allmende": _allmende,
    "urllib.robotparser": _stdlib,
    "protego": _protego,
    "robotspy": _robotspy,
    "fast-robotstxt": _fast_robotstxt,
    "gpyrobotstxt": _gpyrobotstxt,
    "jwm.robotstxt": _jwm,
}


def wrong(case: dict, can_fetch: CanFetch) -> list[bool]:
    """For each path of a case that is answered wrongly: True if it is let through."""
    text, agent = case["body"].encode(), case.get("agent", "anybot")
    try:
        answers = {path: can_fetch(text, agent, path) for path in case["allowed"]}
    except TypeError:  # gpyrobotstxt, of lines without a colon
        return [False]
    return [answer for path, answer in answers.items() if answer != case["allowed"][path]]


def compare() -> None:
    cases = tomllib.loads(VECTORS.read_text("utf-8"))["case"]
    for name, can_fetch in PARSERS.items():
        try:
            failed = {case["name"]: found for case in cases if (found := wrong(case, can_fetch))}
        except ImportError:
            print(f"{name}: not installed")
            continue
        open_ = sum(any(found) for found in failed.values())
        print(f"{name}: {len(failed)} of {len(cases)} wrong, {open_} let through: {'; '.join(failed)}")


@click.command()
@click.option("--hosts", default=50_000)
@click.option("--urls", default=1_000_000)
@click.option("--peers", is_flag=True, help="Also the same job with Protego and fast-robotstxt.")
@click.option("--vectors", is_flag=True, help="Only compare parsers on the cases of RFC 9309.")
def main(hosts: int, urls: int, peers: bool, vectors: bool) -> None:
    if vectors:
        return compare()
    with tempfile.TemporaryDirectory() as folder:
        path, addresses = make(Path(folder), hosts, urls)
        print(f"Python {sys.version.split()[0]}, {hosts:,} hosts, {path.stat().st_size / 1e6:.1f} MB of bodies (zstd)")
        measure("allmende, all signals", urls, lambda: ours(path, addresses, PRESETS["eu-commercial"]))
        if peers:
            agents = ["allmende", *(agent.name for agent in shipped().agents)]
            # With a call for each of 155 agents, one host in a hundred is enough.
            few = [url for url in addresses if int(url[12 : url.index(".")]) % 100 == 99]
            for name, compile_ in (("Protego", protego), ("fast-robotstxt", fast_robotstxt)):
                measure(f"{name}, our token only", urls, lambda made=compile_: peer(made, path, addresses, agents[:1]))
                measure(f"{name}, AI agents too", len(few), lambda made=compile_: peer(made, path, few, agents))
    return None


if __name__ == "__main__":
    main()
