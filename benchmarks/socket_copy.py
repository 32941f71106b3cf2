"""Sends a file to whoever connects: what a scrape costs if it is nothing but a copy."""

import argparse
import socket
from contextlib import suppress
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    body = options.file.read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", options.port), backlog=64) as listener:
        while True:
            client, _ = listener.accept()
            # Who only looks whether somebody listens hangs up at once.
            with client, suppress(OSError):
                client.recv(65_536)
                client.sendall(head)
                client.sendall(body)


if __name__ == "__main__":
    main()
