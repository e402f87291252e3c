import hashlib
import hmac
from pathlib import Path

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from allmende.errors import MissingExtra, RecipeError
from allmende.recipe import Safety
from allmende.safety import lists
from allmende.safety.lists import Record, load

MD5 = hashlib.md5(b"picture").hexdigest()
SHA1 = hashlib.sha1(b"picture").hexdigest()
SHA256 = hashlib.sha256(b"picture").hexdigest()
PDQ = "f0" * 32
SALT = "00112233445566778899aabbccddeeff"
URL = "https://a.example/x.jpg"


@pytest.fixture
def write(tmp_path):
    def write(content, name="list.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def illegal(*specs, **more):
    return load(Safety(hash_lists=specs, domain_lists=(), **more))


def unwanted(*specs, drop):
    return load(Safety(domain_lists=specs, drop_categories=drop))


def hit_of(found, **hashes):
    hit = found.illegal_file(URL, hashes, hashes.pop("quality", 100))
    return hit and (hit.about.kind, hit.found, hit.where, hit.url)


@pytest.mark.parametrize(("kind", "digest"), [("md5", MD5), ("sha1", SHA1), ("sha256", SHA256)])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_digests_of_files(write, kind, digest, ends):
    found = illegal(f"{kind}:{write(ends.join(['# a comment', '0' * len(digest), '', digest.upper()]))}")
    assert hit_of(found, **{kind: digest}) == (kind, (digest, None), "file", URL)
    assert hit_of(found, **{kind: "1" * len(digest)}) is None
    assert found.digests == ((kind,) if kind != "sha256" else ())


def test_the_kind_may_stand_in_the_list_or_beside_it_or_be_seen(write):
    assert illegal(write(MD5)).about[0].kind == "md5"
    assert illegal(write(SHA1)).about[0].kind == "sha1"
    assert illegal(write(f"# Kind: sha256\n{SHA256}")).about[0].kind == "sha256"
    write('kind = "pdq"\nname = "hotline"\ndate = "2026-11-01"', "beside.csv.toml")
    about = illegal(write(SHA256, "beside.csv")).about[0]
    assert (about.kind, about.name, about.date) == ("pdq", "hotline", "2026-11-01")


def test_what_is_recorded_of_a_list(write):
    path = write(f"# name: hotline\n# date: 2026-11-01\n{MD5}\n{'0' * 32}\n")
    found = illegal(path)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert [lists.About(name="hotline", kind="md5", date="2026-11-01", entries=2, sha256=digest)] == list(found.about)
    record = Record(found.about).encode()
    assert msgspec.json.decode(record, type=Record).lists == found.about
    assert MD5 not in record.decode()


def test_near_perceptual_hashes(write):
    near = f"{int(PDQ, 16) ^ (2**31 - 1):064x}"
    far = f"{int(PDQ, 16) ^ (2**32 - 1):064x}"
    path = write(f"hash,quality\n{PDQ},100\n{'ab' * 32},49\n", "pdq.csv")
    found = illegal(f"pdq:{path}")
    assert hit_of(found, pdq=near) == ("pdq", (PDQ, 31), "file", URL)
    assert hit_of(found, pdq=far) is None
    assert hit_of(illegal(f"pdq:{path}", pdq_distance=32), pdq=far) is not None
    assert (found.about[0].entries, found.about[0].skipped, found.about[0].distance) == (1, 1, 31)


def test_images_without_detail_are_not_compared(write):
    found = illegal(f"pdq:{write(PDQ)}")
    assert hit_of(found, pdq=PDQ, quality=50) is not None
    assert hit_of(found, pdq=PDQ, quality=49) is None


def keyed(name, value):
    salt = bytes.fromhex(SALT)
    if name == "hmac-sha256":
        return hmac.digest(salt, value.encode(), "sha256").hex()
    return hashlib.blake2b(value.encode(), key=salt, digest_size=32).hexdigest()


@pytest.mark.parametrize("name", ["hmac-sha256", "blake2b"])
def test_salted_lists(write, name):
    head = f"# salt: {SALT}\n# hash: {name}\n"
    files = illegal(f"md5:{write(head + keyed(name, MD5))}")
    assert hit_of(files, md5=MD5) is not None
    assert hit_of(files, md5="0" * 32) is None
    assert files.about[0].salted
    urls = illegal(f"url:{write(head + keyed(name, URL))}")
    assert [bool(hit) for hit in urls.illegal_urls([URL, URL + "x"], "url")] == [True, False]
    domains = illegal(f"domain:{write(head + keyed(name, 'a.example'))}")
    assert [bool(hit) for hit in domains.illegal_urls([URL, "https://b.example/"], "url")] == [True, False]


def test_keyed_hashes_may_be_cut(write):
    path = write(f"# salt: {SALT}\n# hash: hmac-sha256\n{keyed('hmac-sha256', MD5)[:32]}")
    assert hit_of(illegal(f"md5:{path}"), md5=MD5) is not None


def test_urls_as_plain_hashes(write):
    path = write(f"# hash: md5\n{hashlib.md5(URL.encode()).hexdigest()}")
    assert illegal(f"url:{path}").illegal_urls([URL], "page")[0].where == "page"


def test_urls_and_domains(write):
    found = illegal(f"url:{write(URL)}", f"domain:{write('bad.example', 'domains.txt')}")
    urls = [URL, "https://www.bad.example/1", "https://a.example/", URL]
    hits = found.illegal_urls(urls, "url")
    assert [hit and (hit.about.kind, hit.found.entry) for hit in hits] == [
        ("url", "a.example/x.jpg"),
        ("domain", "bad.example"),
        None,
        ("url", "a.example/x.jpg"),
    ]
    assert found.unwanted_urls(urls) == [False] * 4


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (f"{MD5}\n{MD5[:-1]}\n", "md5", "line 2: 31 characters, where every entry has 32"),
        (f"{MD5}\n{'x' * 32}\n", "md5", "line 2: not a hexadecimal number"),
        (f"{MD5}\n{SHA1}\n", "md5", "line 2: 40 characters"),
        (f"{PDQ},high\n", "pdq", "line 1"),
        ("a.example\nno domain\n", "domain", "line 2: no domain"),
        ("# nothing\n", "md5", "has no entries"),
        (" \n", "md5", "is empty"),
        ("hash,quality\n" + PDQ + ",3\n", "pdq", "has no entries"),
        (f"# kind: sha1\n{SHA1}", "md5", "says that it is of kind sha1, the recipe says md5"),
        (f"# salt: {SALT}\n{PDQ}", "pdq", "salted perceptual hashes can't be compared"),
        (f"# salt: {SALT}\n{MD5}", "md5", "with a salt"),
        (f"# salt: 0011\n# hash: blake2b\n{MD5}", "md5", "hide nothing"),
        (f"# salt: salt\n# hash: blake2b\n{MD5}", "md5", "hexadecimal"),
        (f"# salt: {SALT}\n# hash: blake2b\n{MD5[:30]}", "md5", "at least 32"),
        (f"# hash: md5\n{MD5}", "md5", "needs a salt"),
        (f"# hash: crc\n{MD5}", "url", "'crc' without a salt"),
        (f"# hash: sha1\n{MD5}", "url", "entries of 16 bytes"),
    ],
)
def test_a_list_that_would_match_less_than_it_should_stops_the_build(write, content, kind, message):
    with pytest.raises(RecipeError, match=message) as error:
        illegal(f"{kind}:{write(content)}")
    assert not any(secret in str(error.value) for secret in (MD5[:30], SHA1, PDQ, "x" * 32))


def test_lists_that_are_not_there_or_not_explained(write, tmp_path):
    with pytest.raises(RecipeError, match="no such file"):
        illegal(f"md5:{tmp_path}/none")
    with pytest.raises(RecipeError, match="can't be read"):
        illegal(f"md5:{tmp_path}")
    with pytest.raises(RecipeError, match="what is it"):
        illegal(write(SHA256))
    with pytest.raises(RecipeError, match="photodna is no kind of list"):
        illegal(write(f"# kind: photodna\n{SHA256}"))
    write("kind = 1\nsalz = 2", "list.txt.toml")
    with pytest.raises(RecipeError, match=r"list.txt.toml: .*salz.*There are: name, kind"):
        illegal(write(MD5))
    write("kind = ", "list.txt.toml")
    with pytest.raises(RecipeError, match="not valid TOML"):
        illegal(write(MD5))


@pytest.fixture
def age():
    return pytest.importorskip("pyrage")


@pytest.mark.parametrize("armoured", [False, True])
def test_encrypted_lists(write, age, armoured, monkeypatch):
    identity = age.x25519.Identity.generate()
    path = write(age.encrypt(f"# kind: md5\n{MD5}\n".encode(), [identity.to_public()], armored=armoured), "list.age")
    found = illegal(path, list_key=f"file:{write(f'# created: today{chr(10)}{identity}', 'key.txt')}")
    assert hit_of(found, md5=MD5) is not None
    assert found.about[0].encrypted
    assert found.about[0].name == "list"
    monkeypatch.setenv("LIST_KEY", str(age.x25519.Identity.generate()))
    with pytest.raises(RecipeError, match="can't be decrypted with the key of env:LIST_KEY"):
        illegal(path, list_key="env:LIST_KEY")
    monkeypatch.setenv("LIST_KEY", "AGE-SECRET-KEY-1nonsense")
    with pytest.raises(RecipeError, match="can't be decrypted"):
        illegal(path, list_key="env:LIST_KEY")
    with pytest.raises(RecipeError, match="list_key"):
        illegal(path)
    with pytest.raises(RecipeError, match="never the key itself"):
        illegal(path, list_key=str(identity))
    with pytest.raises(RecipeError, match="no key in env:NO_SUCH_KEY"):
        illegal(path, list_key="env:NO_SUCH_KEY")


def test_encrypted_lists_that_are_damaged_or_empty(write, age, monkeypatch):
    identity = age.x25519.Identity.generate()
    monkeypatch.setenv("LIST_KEY", str(identity))
    with pytest.raises(RecipeError, match="can't be decrypted"):
        illegal(write(age.encrypt(MD5.encode(), [identity.to_public()])[:-1]), list_key="env:LIST_KEY")
    with pytest.raises(RecipeError, match="is empty"):
        illegal(write(age.encrypt(b" ", [identity.to_public()])), list_key="env:LIST_KEY")


def test_without_the_extra_an_encrypted_list_says_what_to_install(write, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyrage", None)
    with pytest.raises(MissingExtra, match=r"pip install 'allmende\[age\]'"):
        illegal(write(b"age-encryption.org/v1\n..."), list_key="env:HOME")


def test_the_lists_that_ship_with_the_package():
    found = load(Safety())
    assert {one.category for one in found.about} == {"tracking", "piracy", "adult"}
    assert all(one.entries and not one.skipped and one.date for one in found.about)
    urls = ["https://www.facebook.com/tr?id=1", "https://www.facebook.com/photo.jpg", "https://ads.criteo.com/1.gif"]
    assert found.unwanted_urls(urls) == [True, False, True]
    assert {one.category for one in load(Safety(drop_categories=("adult",))).about} == {"adult"}


def test_ut1_folders_with_their_own_names_of_categories(write, tmp_path):
    write("doubleclick.example\n", "ut1/publicite/domains")
    write("a.example/~warez/x\nb.example/Y\n", "ut1/warez/urls")
    write("bank.example\n", "ut1/bank/domains")
    write("", "ut1/warez/domains")
    found = unwanted(f"ut1:{tmp_path}/ut1", drop=("tracking", "warez"))
    assert [(one.name, one.kind, one.category) for one in found.about] == [
        ("ut1/publicite/domains", "domain", "tracking"),
        ("ut1/warez/urls", "url", "warez"),
    ]
    urls = ["https://doubleclick.example/", "http://a.example/~warez/x/1", "http://b.example/y", "http://bank.example/"]
    assert found.unwanted_urls(urls) == [True, True, True, False]
    with pytest.raises(RecipeError, match="none of the categories chess"):
        unwanted(f"ut1:{tmp_path}/ut1", drop=("chess",))
    with pytest.raises(RecipeError, match="can't be read"):
        unwanted(f"ut1:{tmp_path}/none", drop=("chess",))


def test_a_plain_list_is_of_the_category_of_its_name(write):
    path = write("0.0.0.0 a.example\n127.0.0.1 localhost\n", "shops.txt")
    assert unwanted(path, drop=("shops",)).about[0].category == "shops"
    with pytest.raises(RecipeError, match="category 'shops', which drop_categories does not name"):
        unwanted(path, drop=("adult",))
    with pytest.raises(RecipeError, match="no list of domain_lists has a category 'adult'"):
        unwanted(path, drop=("adult", "shops"))
    assert unwanted(write("# category: adult\n||a.example^\n"), drop=("adult",)).about[0].category == "adult"


def test_public_lists_may_have_a_few_bad_lines(write):
    good = [f"host-{n}.example" for n in range(99)]
    assert unwanted(write("\n".join([*good, "<html>"]), "x.txt"), drop=("x",)).about[0].skipped == 1
    with pytest.raises(RecipeError, match="line 1: no domain; 2 lines are none"):
        unwanted(write("\n".join(["<html>", *good, "<p>"]), "x.txt"), drop=("x",))


@pytest.mark.parametrize("path", sorted(Path(lists.__file__).parent.glob("data/*.txt")), ids=lambda path: path.name)
def test_every_list_that_ships_says_where_it_comes_from(path):
    text = path.read_text("utf-8")
    assert "# Origin: " in text
    assert "Licence: " in text
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(entries) == len(set(entries))


@given(st.binary(), st.sampled_from(["md5", "sha256", "pdq", "url", "domain", "plain"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_list_or_refused(tmp_path, content, kind):
    path = tmp_path / "any.txt"
    path.write_bytes(content)
    try:
        found = unwanted(str(path), drop=("any",)) if kind == "plain" else illegal(f"{kind}:{path}")
    except RecipeError:
        return
    assert found.about[0].entries > 0


def test_no_lists_at_all():
    assert load(Safety(domain_lists=())) == lists.Lists()
