# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one HTTP session of all drivers.

It is `requests` with the habits that phones need: TLS verified or pinned before a byte of a request leaves, nothing taken from
the environment, no redirects, same-origin Referer and Origin on what changes something (a Grandstream answers 403 without),
cookies by name alone, and answers that end in time and stay small.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, CertificateRefused, EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, parse_cookies
from ansible_collections.evenport.sip.plugins.module_utils.http.auth import HttpAuth, is_stale
from ansible_collections.evenport.sip.plugins.module_utils.http.deadline import deadlined
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import certificate_reason, chain, is_certificate_fault, translate
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.tls import plain_fingerprint, shared_context, shown_fingerprint

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    MISSING = ""
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    HTTPAdapter = object
    MISSING = "The Python library requests is missing on the machine that runs this task."
else:
    # Verification off is the user's written choice (validate_certs: false); a warning per request would only bury the results.
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

_NO_PIN = "0" * 64                              # no certificate has this SHA-256: the handshake runs, the request never does
_SEEN = re.compile(r'got "([0-9a-f]{64})"')


class _Adapter(HTTPAdapter):
    """requests' transport with our context, our pin and our deadline."""

    def __init__(self, tls: dict[str, Any], deadline: float) -> None:
        self._tls, self._deadline = tls, deadline
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, dummy = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, (dict(self._tls) if host["scheme"] == "https" else {})

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if "response_class" not in vars(pool.ConnectionCls):
            pool.ConnectionCls = deadlined(pool.ConnectionCls, self._deadline)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the shared context has it all, and loading a CA bundle again for each connection would cost 41 ms."""


class WebSession:
    """One web session with one device. Not thread-safe; one request at a time (phones serve few). Close it, or use ``with``.

    ``cookies`` (name -> value) is plain data: a session can be handed to another process with it.
    ``auth`` and ``headers``, where a driver has set them, go with every request. ``certificate`` is what the device showed (DER), b"" over http.
    """

    def __init__(self, reach: Reach, cookies: Mapping[str, str] | None = None) -> None:
        if MISSING:
            raise EvenportError(MISSING, "Install it: pip install 'requests[socks]'.")
        self.reach = reach
        self.cookies: dict[str, str] = dict(cookies or {})
        self.auth: HttpAuth | None = None
        self.headers: dict[str, str] = {}
        self.certificate = b""
        self._pin = plain_fingerprint(reach.fingerprint)
        self._session = self._open(self._pin)

    def _open(self, pin: str, verify: bool | None = None) -> Any:
        session = requests.Session()
        session.trust_env = False               # no HTTP_PROXY, no .netrc: credentials go where the inventory says and nowhere else
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))      # cookies are ours, see parse_cookies
        session.proxies = {"http": self.reach.proxy, "https": self.reach.proxy} if self.reach.proxy else {}
        session.headers.update({"Accept-Encoding": "identity", "User-Agent": "evenport.sip"})
        tls: dict[str, Any] = {}
        if self.reach.protocol == "https":
            check = (self.reach.validate_certs and not pin) if verify is None else verify
            context = shared_context(check, self.reach.ca_path)
            tls = {"ssl_context": context, "cert_reqs": "CERT_REQUIRED" if check else "CERT_NONE"}
            if pin:
                tls["assert_fingerprint"] = pin  # urllib3 compares right after the handshake, before the request is sent
        session.mount(self.reach.protocol + "://", _Adapter(tls, self.reach.deadline))
        return session

    def get(self, path: str, query: Mapping[str, str] | None = None, **options: Any) -> Answer:
        return self.request("GET", path, query, **options)

    def post(self, path: str, form: Mapping[str, str] | None = None, **options: Any) -> Answer:
        return self.request("POST", path, body=urlencode(form or {}, safe=":").encode(),
                            headers={"Content-Type": "application/x-www-form-urlencoded"}, **options)

    def upload(self, path: str, files: Mapping[str, tuple[str, bytes, str]], form: Mapping[str, str] | Sequence[tuple[str, str]] = (), *,
               charset: str = "utf-8", headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """POST multipart/form-data: the plain fields of *form*, then *files*: field -> (file name, content, content type)."""
        fields = [(name, value.encode(charset, "xmlcharrefreplace")) for name, value in (form.items() if isinstance(form, Mapping) else form)]
        body, content_type = urllib3.encode_multipart_formdata([*fields, *files.items()])
        return self.request("POST", path, body=body, headers={**(headers or {}), "Content-Type": content_type}, **options)

    def request(self, method: str, path: str, query: Mapping[str, str] | None = None, *, body: bytes | None = None,
                headers: Mapping[str, str] | None = None, timeout: float | None = None) -> Answer:
        """Send one request, read its whole answer. Redirects are answers like any other; nothing is ever sent twice.

        The one exception is a Digest nonce that has aged: the device says that it did not even look at the request.

        :raises Unreachable: no connection, or (Dropped) it ended without an answer
        :raises CertificateRefused: with the fingerprint that the device shows
        :raises BadAnswer: no HTTP, larger than ``reach.limit`` or not ended within ``reach.deadline``
        """
        answer = self._exchange(method, path, query, body, headers, timeout)
        if self.auth and is_stale(answer) and self.auth.take(answer):
            answer = self._exchange(method, path, query, body, headers, timeout)
        return answer

    def _exchange(self, method: str, path: str, query: Mapping[str, str] | None, body: bytes | None, headers: Mapping[str, str] | None,
                  timeout: float | None) -> Answer:
        sent = {**self.headers, **(headers or {})}
        if method not in ("GET", "HEAD"):
            sent.setdefault("Referer", self.reach.url + "/")
            sent["Origin"] = self.reach.url
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        url = self.reach.url + path + ("?" + urlencode(query, safe=":,@") if query else "")
        if self.auth:
            sent["Authorization"] = self.auth.header(method, url)
        patience = self.reach.timeout if timeout is None else timeout
        try:
            response = self._session.request(method, url, data=body, headers=sent, stream=True, allow_redirects=False, timeout=(patience, patience))
            try:
                return self._read(method, path, response)
            finally:
                response.close()
        except BadAnswer as error:              # from the deadline, which does not know whom it times
            raise error if error.what.startswith(self.reach.name) else BadAnswer(f"{self.reach.name}: {error.what}", error.remedy) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise self._refused(error) if is_certificate_fault(error) else translate(error, self.reach) from None

    def _read(self, method: str, path: str, response: Any) -> Answer:
        where = f"{self.reach.name}: {method} {path.partition('?')[0]} of {self.reach.url}"
        if self.reach.protocol == "https" and not self.certificate:
            self.certificate = _shown_certificate(response.raw)
        body = bytearray()
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > self.reach.limit:
                raise BadAnswer(f"{where} answered more than {self.reach.limit // 1024} kB.", "Is this address really the phone's web page?")
        headers = response.raw.headers
        if "Set-Cookie" in headers:
            self.cookies.update(parse_cookies(headers.getlist("Set-Cookie")))
        return Answer(where, response.status_code, response.headers, bytes(body))

    def _refused(self, error: BaseException) -> CertificateRefused:
        seen = next((found.group(1) for one in chain(error) if (found := _SEEN.search(str(one)))), "") or self._look()
        shown = shown_fingerprint(seen)
        if self._pin:
            return CertificateRefused(
                f"{self.reach.name}: {self.reach.url} shows another certificate ({shown}) than the pinned one. Nothing was sent to it.",
                f"After a factory reset or a new certificate of the phone, set sip_phone_fingerprint: {shown}; otherwise find out who answers there.", shown)
        return CertificateRefused(
            f"{self.reach.name}: the certificate of {self.reach.url} is refused ({certificate_reason(error)}). Nothing was sent to it.",
            f"If it is the phone's own, pin it: sip_phone_fingerprint: {shown}; or give its CA with sip_phone_ca_path.", shown)

    def _look(self) -> str:
        """The fingerprint that the device shows, by the same way (proxy and all): a handshake with an impossible pin. Sends no request."""
        looking = self._open(_NO_PIN, verify=False)
        try:
            looking.get(self.reach.url + "/", timeout=self.reach.timeout, stream=True, allow_redirects=False).close()
        except (requests.RequestException, urllib3.exceptions.HTTPError, ssl.SSLError, OSError) as error:
            return next((found.group(1) for one in chain(error) if (found := _SEEN.search(str(one)))), "")
        finally:
            looking.close()
        return ""

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> WebSession:
        return self

    def __exit__(self, *dummy: Any) -> None:
        self.close()


def _shown_certificate(raw: Any) -> bytes:
    """The certificate of the connection that an answer comes from, DER; b"" once the connection has been given back."""
    sock = getattr(getattr(raw, "connection", None), "sock", None)
    return (sock.getpeercert(binary_form=True) or b"") if hasattr(sock, "getpeercert") else b""
