"""The classes are those that aiohttp documents as its own."""

from aiohttp import web

from cpanel_mail_exporter.web import http


def test_each_class_is_the_one_that_aiohttp_shows_by_that_name() -> None:
    assert {name: getattr(http, name) for name in http.__all__} == {
        name: getattr(web, name) for name in http.__all__
    }
