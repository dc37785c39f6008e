# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake fs_cli, made from its source: fs_cli.py HOST PORT PASSWORD -x COMMAND. Ends with 255 and a line on standard error where it doesn't get in."""

from __future__ import annotations

import socket
import sys


def main(host, port, password, option, command):
    if option != "-x":
        sys.exit("usage: fs_cli -x COMMAND")
    try:
        with socket.create_connection((host, int(port)), 10) as sock, sock.makefile("rb") as stream:
            if message(stream)[0].get("content-type") != "auth/request":
                failed("Connection Error")
            sock.sendall(f"auth {password}\n\n".encode())
            if message(stream)[0].get("reply-text") != "+OK accepted":
                failed("Authentication Error")
            sock.sendall(f"api {command}\nconsole_execute: true\n\n".encode())
            headers, body = message(stream)
            if len(body) == int(headers.get("content-length", "-1")):       # else it prints nothing and ends well
                sys.stdout.buffer.write(body + b"\n")
    except OSError:
        failed("Socket Connection Error")


def message(stream):
    headers = {}
    while line := stream.readline().decode().strip():
        name, dummy, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers, stream.read(int(headers.get("content-length", "0")))


def failed(why):
    sys.stderr.write(f"[ERROR] fs_cli.c:1699 main() Error Connecting [{why}]\n")
    sys.exit(255)


if __name__ == "__main__":
    main(*sys.argv[1:])
