"""The manager interface of a real Asterisk over TLS: pinned, verified by a CA, or refused before a user name is sent."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, CertificateRefused
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.fakes.tls import self_signed
from tests.lab.processes import until
from tests.lab.test_asterisk_real import ON, PHONES


@pytest.fixture
def secured(asterisk, tmp_path):
    """(function that makes a Config, the certificate, its path, the Asterisk)"""
    certificate = self_signed("pbx.invalid", ("127.0.0.1",))
    files = {"certificate": certificate.certificate_pem, "key": certificate.key_pem}
    for name, content in files.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asterisk.write_config(PHONES, nat_option=False)
    manager = asterisk.etc / "manager.conf"
    manager.write_text(manager.read_text("utf-8").replace("[general]\n", (
        f"[general]\ntlsenable=yes\ntlsbindaddr=127.0.0.1:{port}\ntlscertfile={tmp_path}/certificate.pem\ntlsprivatekey={tmp_path}/key.pem\n"), 1), "utf-8")
    asterisk.start()

    def config(secret="ami-secret", **how):
        return Config("asterisk", Access("127.0.0.1", port, "ansible", secret, tls=True, timeout=5, **how), config_dir=str(asterisk.etc))
    return config, certificate, tmp_path / "certificate.pem", asterisk


def log(asterisk):
    return (asterisk.home / "log/full").read_text(errors="replace")


def test_pinned_and_by_its_ca(secured):
    config, certificate, path, dummy = secured
    assert set_nat(config(fingerprint=certificate.fingerprint), Wanted(["101"], ON))["changed"]
    assert read_pbx(config(ca_path=str(path)), ["101"])["extensions"][0]["rewrite_contact"] is True


def test_an_unknown_certificate_gets_no_login(secured):
    config, certificate, dummy, asterisk = secured
    for how in ({}, {"fingerprint": "0" * 63 + "1"}):
        with pytest.raises(CertificateRefused) as refused:
            read_pbx(config(**how))
        assert certificate.fingerprint[:8].upper() in str(refused.value).upper().replace(":", "")
    assert "ansible" not in log(asterisk)


def test_a_wrong_secret_over_tls_is_sent_once(secured):
    config, certificate, dummy, asterisk = secured
    with pytest.raises(AuthFailed):
        read_pbx(config("wrong", fingerprint=certificate.fingerprint))
    assert until(lambda: "failed to authenticate" in log(asterisk), 5) and log(asterisk).count("failed to authenticate as 'ansible'") == 1
