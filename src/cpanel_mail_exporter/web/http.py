"""The half of aiohttp's server that is used: requests, answers, and the protocol between them.

`aiohttp.web` would bring routes, applications, files and web sockets along, a megabyte of them.
Its documentation names these classes there; they live in these modules in all versions of aiohttp
3, and a test sees to it that they are the same.
"""

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_server import Server

__all__ = ["BaseRequest", "RequestHandler", "Response", "Server", "StreamResponse"]
