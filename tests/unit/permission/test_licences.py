import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.licences import license_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        ("http://creativecommons.org/licenses/by-sa/3.0/de/", "cc-by-sa-3.0-de"),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/legalcode.de", "cc-by-nc-nd-4.0"),
        ("http://creativecommons.org/licenses/by/2.0/uk/deed.en", "cc-by-2.0-uk"),
        ("http://creativecommons.org/licenses/by/2.5/scotland/", "cc-by-2.5-scotland"),
        ("https://creativecommons.org/licenses/by-sa/3.0/igo/", "cc-by-sa-3.0-igo"),
        ("HTTPS://WWW.CreativeCommons.org/licenses/BY/4.0", "cc-by-4.0"),
        ("//creativecommons.org/licenses/by/4.0/?ref=chooser-v1", "cc-by-4.0"),
        ("creativecommons.org/licences/by/4.0", "cc-by-4.0"),
        ("https://i.creativecommons.org/l/by-nc-sa/3.0/88x31.png", "cc-by-nc-sa-3.0"),
        ("https://licensebuttons.net/l/by-nc-sa/3.0/88x31.png", "cc-by-nc-sa-3.0"),
        ("https://creativecommons.org/licenses/by/", "cc-by"),
        ("https://creativecommons.org/publicdomain/zero/1.0/deed.fr", "cc0-1.0"),
        ("https://licensebuttons.net/p/zero/1.0/88x31.png", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "cc-pdm-1.0"),
    ],
)
def test_creative_commons_by_url(text, expected):
    assert license_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "cc-by-nc-nd-1.0"),
        ("http://creativecommons.org/licenses/nc-sa/1.0/", "cc-nc-sa-1.0"),
        ("http://creativecommons.org/licenses/sa/1.0/fi/", "cc-sa-1.0-fi"),
        ("http://creativecommons.org/licenses/nd/2.0/jp/", "cc-nd-2.0-jp"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "cc-sampling-plus-1.0"),
        ("http://creativecommons.org/licenses/devnations/2.0/", "cc-devnations-2.0"),
        ("http://creativecommons.org/licenses/publicdomain/", "cc-pddc"),
        ("http://creativecommons.org/licenses/GPL/2.0/", "gpl-2.0"),
    ],
)
def test_retired_licences(text, expected):
    assert license_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("cc-by-nc-sa-3.0-de", "cc-by-nc-sa-3.0-de"),
        ("CC BY", "cc-by"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "cc-by-sa-4.0"),
        ("Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International License", "cc-by-nc-nd-4.0"),
        ("Creative Commons Attribution 3.0 Unported", "cc-by-3.0"),
        ("CC0", "cc0-1.0"),
        ("CC0 1.0 Universal", "cc0-1.0"),
        ("Public Domain Mark 1.0", "cc-pdm-1.0"),
    ],
)
def test_names_that_stand_where_schema_org_wants_a_url(text, expected):
    assert license_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.govdata.de/dl-de/by-2-0", "dl-de-by-2.0"),
        ("https://www.gnu.org/licenses/fdl-1.3.en.html", "gfdl-1.3"),
        ("https://opensource.org/licenses/MIT", "mit"),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "apache-2.0"),
        ("https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/", "ogl-uk-3.0"),
        ("https://opendatacommons.org/licenses/odbl/1-0/", "odbl-1.0"),
        ("https://unsplash.com/license", "unsplash"),
    ],
)
def test_other_licences(text, expected):
    assert license_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "All rights reserved",
        "https://example.org/terms",
        "https://creativecommons.org/",
        "https://creativecommons.org/licenses/",
        "https://creativecommons.org/licenses/by-foo/2.5/",
        "https://example.org/creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org.example/licenses/by/4.0/",
        "cc by foo",
    ],
)
def test_what_is_no_licence_that_we_know(text):
    assert license_id(text) is None


@given(st.text(), st.text("cby-sandl/.:04 "))
def test_any_text(anything, likely):
    for text in (anything, likely, f"https://creativecommons.org/licenses/{likely}", f"cc {likely}"):
        found = license_id(text)
        assert found is None or found == found.lower()
