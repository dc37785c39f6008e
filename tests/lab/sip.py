"""One registration from a real socket, for tests that want to choose what a phone claims."""

from __future__ import annotations

import hashlib
import re
import socket


def register(server: tuple[str, int], name: str, via: str, address: str = "127.0.0.1", expires: int = 300, user_agent: str = "Test Phone 1.0") -> int:
    """A REGISTER (password "pw" + name) whose Via and Contact claim *via*, sent from *address*. Returns the source port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((address, 0))
        phone.settimeout(5)
        proof: list[str] = []
        for number in (1, 2):
            lines = ["REGISTER sip:127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP {via};rport;branch=z9hG4bK{name}{number}{via[-4:]}", "Max-Forwards: 70",
                     f"From: <sip:{name}@127.0.0.1>;tag=a{name}", f"To: <sip:{name}@127.0.0.1>", f"Call-ID: {name}@{via}", f"CSeq: {number} REGISTER",
                     f"Contact: <sip:{name}@{via}>", f"User-Agent: {user_agent}", f"Expires: {expires}", *proof, "Content-Length: 0", "", ""]
            phone.sendto("\r\n".join(lines).encode(), server)
            answer = next(text for text in (phone.recv(65536).decode() for dummy in range(20)) if text.startswith("SIP/2.0 "))   # not an OPTIONS of the PBX
            if answer.startswith("SIP/2.0 200"):
                return int(phone.getsockname()[1])
            realm, nonce = (re.search(rf'{key}="([^"]+)"', answer)[1] for key in ("realm", "nonce"))
            first, second = (_md5(text) for text in (f"{name}:{realm}:pw{name}", "REGISTER:sip:127.0.0.1"))
            words = {"username": name, "realm": realm, "nonce": nonce, "uri": "sip:127.0.0.1", "cnonce": "c",
                     "response": _md5(f"{first}:{nonce}:00000001:c:auth:{second}"), "opaque": (re.search(r'opaque="([^"]+)"', answer) or ["", ""])[1]}
            proof = ["Authorization: Digest algorithm=MD5, qop=auth, nc=00000001, " + ", ".join(f'{key}="{value}"' for key, value in words.items())]
        raise AssertionError(answer.split("\r\n", maxsplit=1)[0])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
