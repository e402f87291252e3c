import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import RecipeError
from allmende.filters.urls import UrlRules, is_interface
from allmende.recipe import Urls

INTERFACE = """\
https://example.org/1x1.gif
https://example.org/wp-content/plugins/lazy-load/images/1x1.trans.gif
https://example.org/img/spacer.gif
https://example.org/img/blank.gif?v=3
https://example.org/img/transparent-1093278.png
https://example.org/pixel.png
https://example.org/logo.svg
https://example.org/logo.SVG?v=2
https://example.org/favicon.ico
https://example.org/images/icons/facebook.png
https://example.org/kontakt_icons/con_fax.png
https://example.org/img/icon-mail.png
https://example.org/img/icon18_email.gif
https://example.org/img/mail_icon_32x32@2x.png
https://example.org/Sprite.png
https://example.org/css/sprites/main.png
https://example.org/wp-includes/images/smilies/icon_wink.gif
https://example.org/ajax-loader.gif
https://example.org/img/arrow_left.gif
https://example.org/btn-signin-Google.png
https://example.org/lazy_placeholder.gif
https://example.org/no-image.jpg
https://example.org/img/default-avatar.png
https://s0.wp.com/wp-content/twemoji/72x72/1f600.png
https://secure.gravatar.com/avatar/04db4755?s=60
https://www.facebook.com/tr?id=1018&ev=PageView&noscript=1
https://stats.example.org/b.gif?v=noscript
https://ad.doubleclick.net/ddm/trackimp/x
https://vg08.met.vgwort.de/na/4ed935f1a3544909a4add50e9f8013cd
https://example.org/piwik/piwik.php?idsite=1
https://example.org/matomo.php
https://example.org/cgi-bin/ivw/CP/home
https://example.org/openx/www/delivery/avw.php?zoneid=1
https://example.org/t?w=1&h=1
https://sb.scorecardresearch.com/p?c1=2"""

PICTURES = """\
https://example.org/iconic-building.jpg
https://example.org/silicon/valley.png
https://example.org/lexicon.png
https://example.org/icons/st-nicholas.jpg
https://example.org/orthodox-icon-15th-century.jpg
https://example.org/google-pixel-6.png
https://example.org/google-pixel.jpg
https://example.org/apple-transparent.png
https://example.org/Button-down-shirt.png
https://example.org/buttons.jpg
https://example.org/arrow-tower-bolzano.png
https://example.org/broken-arrow.jpg
https://example.org/sprites-of-the-forest.webp
https://example.org/trackers/photo.jpg
https://example.org/banner.jpg
https://example.org/braeune-verlaengern-thumbnail-1x1.jpg
https://example.org/dotted-line.png
https://example.org/space-station.png
https://example.org/blank-family-1912.png
https://example.org/load-bearing-wall.png
https://example.org/adserver-room.jpg
https://example.org/avatar/poster.jpg
https://example.org/uploads/ads/123.jpg
https://example.org/countess.php
https://example.org/image.php?id=3
https://example.org/photo
https://example.org/
https://www.ad.nl/photo.jpg
https://pixel.nymag.com/imgs/daily/photo.jpg
https://statsbiblioteket.dk/photo.jpg
https://i.ytimg.com/vi/x/default.jpg
https://example.org/a?w=100&h=100
https://example.org:8080/no-imagination.jpg
https://xn--bcher-kva.example/b%C3%BCcher.png"""


@pytest.mark.parametrize("url", INTERFACE.splitlines())
def test_parts_of_an_interface(url):
    assert is_interface(url)


@pytest.mark.parametrize("url", PICTURES.splitlines())
def test_pictures(url):
    assert not is_interface(url)


@given(st.text(max_size=100))
def test_it_never_raises(text):
    assert is_interface(f"https://example.org/{text}") in {True, False}
    assert is_interface(text) in {True, False}


@given(st.sampled_from(INTERFACE.splitlines()))
def test_case_does_not_matter(url):
    assert is_interface(url.upper())


def test_a_recipe_adds_patterns():
    rules = UrlRules(Urls(blocked=(r"/private/", r"\.webp$")))
    assert rules.blocks("https://example.org/PRIVATE/a.jpg")
    assert rules.blocks("https://example.org/a.webp")
    assert rules.blocks("https://example.org/favicon.ico")
    assert not rules.blocks("https://example.org/a.jpg")


def test_the_built_in_rules_can_be_switched_off():
    rules = UrlRules(Urls(block_defaults=False))
    assert not any(map(rules.blocks, INTERFACE.splitlines()))


def test_a_broken_pattern_is_the_recipes_fault():
    with pytest.raises(RecipeError, match=r"urls\.blocked: '\(' is no regular expression"):
        UrlRules(Urls(blocked=("(",)))
