# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One document for one device: who gets it, who doesn't, and that it ends."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from urllib.parse import urlsplit

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError
from ansible_collections.evenport.sip.plugins.module_utils.http import serve
from ansible_collections.evenport.sip.plugins.module_utils.http.serve import Served, facing

BODY = b"<flat-profile/>"


def served(host="127.0.0.1", seconds=20.0):
    return Served("kitchen", host, 80, BODY, seconds)


def ask(url, *, path=None, method="GET", source="127.0.0.1"):
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=5, source_address=(source, 0))
    try:
        connection.request(method, path or where.path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(url, data):
    """What comes back for these bytes, until it hangs up."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=5) as sock:
        sock.sendall(data)
        got = b""
        while piece := sock.recv(4096):
            got += piece
        return got


def test_the_device_gets_its_document_and_we_hear_of_it():
    with served() as one:
        assert not one.wait(0)
        assert ask(one.url) == (200, BODY)
        assert one.wait(5)
        assert ask(one.url) == (200, BODY)                  # a phone that comes again gets it again, as long as we wait
    with pytest.raises(OSError):
        ask(one.url)


@pytest.mark.parametrize(("path", "method", "status"), [
    ("/", "GET", 404), ("/x.xml", "GET", 404), ("/%00", "GET", 404), (None, "POST", 501), (None, "HEAD", 501)])
def test_nothing_else_is_there(path, method, status):
    with served() as one:
        assert ask(one.url, path=path, method=method)[0] == status
        assert not one.wait(0) and BODY not in ask(one.url, path=(path or "/"), method="GET")[1]


def test_the_path_is_another_one_each_time():
    with served() as one, served() as two:
        assert one.url != two.url and urlsplit(one.url).path != urlsplit(two.url).path
        assert ask(two.url, path=urlsplit(one.url).path)[0] == 404
        assert urlsplit(one.url).path not in one.place and one.place in one.url


def test_nobody_else_gets_a_byte():
    with served() as one:
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(one.url, source="127.0.0.2")
        assert not one.wait(0) and one.turned_away == ["127.0.0.2"]
        assert ask(one.url) == (200, BODY) and one.turned_away == ["127.0.0.2"]


def test_of_many_strangers_some_are_remembered(monkeypatch):
    monkeypatch.setattr(serve, "_STRANGERS", 2)
    with served() as one:
        for source in ("127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
            with contextlib.suppress(http.client.HTTPException, OSError):
                ask(one.url, source=source)
        assert one.turned_away == ["127.0.0.2", "127.0.0.3"]


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 9000,
                                  b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n",
                                  b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000 + b"\r\n", b"GET /\xff\xfe HTTP/1.1\r\n\r\n"], ids=range(8))
def test_rubbish_is_not_served_and_does_no_harm(data, monkeypatch, capfd):
    monkeypatch.setattr(serve, "_PATIENCE", 0.2)
    with served() as one:
        with contextlib.suppress(OSError):                  # reset: it did not read all of it
            assert BODY not in raw(one.url, data)
        assert not one.wait(0) and ask(one.url) == (200, BODY)
    assert capfd.readouterr() == ("", "")


def test_one_who_says_nothing_keeps_nobody_waiting():
    with served() as one:
        where = urlsplit(one.url)
        with socket.create_connection((where.hostname, where.port)), socket.create_connection((where.hostname, where.port)) as slow:
            slow.sendall(b"GET / HT")
            assert ask(one.url) == (200, BODY)


def test_a_head_that_drips_is_cut_off(monkeypatch):
    monkeypatch.setattr(serve, "_PATIENCE", 0.3)
    with served() as one:
        where = urlsplit(one.url)
        with socket.create_connection((where.hostname, where.port), timeout=5) as sock:
            started, alive = time.monotonic(), True
            while alive and time.monotonic() - started < 10:
                try:
                    sock.sendall(b"a")
                    time.sleep(0.05)
                except OSError:
                    alive = False
            assert not alive


def test_it_ends_by_itself():
    with served(seconds=0.3) as one:
        one._thread.join(10)
        assert not one._thread.is_alive()
        with pytest.raises(OSError):
            ask(one.url)


def test_who_connects_in_time_and_asks_too_late_gets_nothing():
    with served() as one:
        where = urlsplit(one.url)
        sock = socket.create_connection((where.hostname, where.port), timeout=5)
        sock.sendall(f"GET {where.path} HTTP/1.1\r\n".encode())
        time.sleep(0.3)                         # it is being listened to
    with sock, contextlib.suppress(OSError):
        sock.sendall(b"\r\n")
        got = b""
        while piece := sock.recv(4096):
            got += piece
        assert b" 404 " in got and BODY not in got
    assert not one.wait(0)


def test_it_takes_no_more_connections_than_a_phone_needs(monkeypatch):
    monkeypatch.setattr(serve, "_REQUESTS", 2)
    with served() as one:
        assert [ask(one.url)[0], ask(one.url)[0]] == [200, 200]
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(one.url)


def test_it_listens_where_the_device_is_and_nowhere_else():
    with served() as one:
        assert urlsplit(one.url).hostname == "127.0.0.1"
        with pytest.raises(OSError), socket.create_connection(("127.0.0.3", urlsplit(one.url).port), timeout=1):
            pass


def test_the_way_to_a_device():
    family, ours, peers = facing("kitchen", "localhost", 80)
    assert family == socket.AF_INET and ours == "127.0.0.1" and "127.0.0.1" in peers
    try:
        family, ours, peers = facing("kitchen", "[::1]", 80)
    except DeviceError:
        return                                              # a machine without IPv6
    assert (family, ours, peers) == (socket.AF_INET6, "::1", frozenset({"::1"}))
    with served("[::1]") as one:
        assert one.url.startswith("http://[::1]:") and one.place.startswith("[::1]:")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300, "255.255.255.255"])
def test_no_way_to_it(host):
    with pytest.raises(DeviceError) as caught:
        served(host)
    assert "kitchen" in str(caught.value) and caught.value.remedy
