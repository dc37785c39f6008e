"""The routers of the lab: what each does to UDP, as an nftables ruleset, and what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.spaces import inside, sh
from tests.lab.tree import command

OUTSIDE = "203.0.113.1"
INSIDE = "192.168.1.1"

FIREWALL = """
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "lan" oifname "wan" accept
    ct state established,related accept
  }
}
"""


def _nat(rules: str) -> str:
    return f"{FIREWALL}{_postrouting(rules)}"


def _postrouting(rules: str) -> str:
    return f"""
table ip nat {{
  chain post {{
    type nat hook postrouting priority 100;
    {rules}
  }}
}}
"""


def _strict() -> str:
    """masquerade to one fixed port can't pick another: where the port is taken, netfilter drops the packet."""
    same = ", ".join(f"{port} : {port}" for port in range(5060, 5201))
    return _nat(f'oifname "wan" udp sport 5060-5200 masquerade to :udp sport map {{ {same} }}; oifname "wan" masquerade')


def _overload() -> str:
    """RFC 4787 "port overloading", without state: the inside host that spoke last from a port owns it. TCP goes the usual way."""
    return f"""
table ip overload {{
  map owner {{ type inet_service : ipv4_addr; flags dynamic,timeout; timeout 120s; size 65535; }}
  chain pre {{
    type filter hook prerouting priority -300;
    iifname "wan" meta l4proto udp ip daddr {OUTSIDE} notrack ip daddr set udp dport map @owner
    iifname "lan" meta l4proto udp ip daddr != {INSIDE} notrack
  }}
  chain post {{
    type filter hook postrouting priority 300;
    oifname "wan" meta l4proto udp delete @owner {{ udp sport : ip saddr }}
    oifname "wan" meta l4proto udp add @owner {{ udp sport : ip saddr }}
    oifname "wan" meta l4proto udp ip saddr set {OUTSIDE}
  }}
}}
""" + _postrouting('oifname "wan" masquerade')


def _alg() -> str:
    return _nat('oifname "wan" masquerade') + """
table ip alg {
  ct helper sip { type "sip" protocol udp; }
  chain pre { type filter hook prerouting priority -150; udp dport 5060 ct helper set "sip"; }
}
"""


@dataclass(frozen=True)
class Audit:
    """What the audit must say: the verdicts on 101, 102, 103 and 104 (one word: the same of every phone), and its findings, no more and no less.

    "error wrong_port 102 103" is a finding for each of the two phones; "error router_translated (102 103)" is one about the site, seen on them.
    """

    verdicts: str
    findings: tuple[str, ...] = ()


FINE = Audit("ok")
FINE_BUT_FULL = Audit("ok", ("warning lock_nearly_full ()",))
NAT_OFF = "error nat_option_missing (101 102 103 104)"
# A phone that has no business on 5060 (102 and so on) says 5060 to the PBX, whatever the router makes of it.
ON_5060 = "error wrong_port 102 103 104"


def _audits(nat_on: Audit, nat_off: Audit, after: Audit = FINE, off_again: Audit = Audit("nat_option_missing", (NAT_OFF,))) -> dict[str, Audit]:
    """By station, in the order of the journey: all on 5060 with the NAT option on, and off; after the rollout; somebody switches the option off again."""
    return {"nat option alone": nat_on, "as found": nat_off, "after the rollout": after, "nat option off again": off_again}


# Without the NAT option Asterisk shows what the phones say of themselves, so most routers look the same.
ALL_SAY_5060 = Audit("nat_option_missing wrong_port wrong_port wrong_port", (NAT_OFF, ON_5060))
# Who has a mapping of his own is reachable, though not where he was planned; 101 is planned on 5060.
REACHABLE_ON_5060 = Audit("ok wrong_port wrong_port wrong_port", (ON_5060,))
# With a SIP ALG what the phones say arrives rewritten, public and right: the NAT option makes no difference, and isn't missed.
ALG_ON_5060 = Audit("ok alg_or_stun alg_or_stun alg_or_stun", ("warning alg_or_stun (102 103 104)", "warning wrong_setting 102 103 104"))
AUDITS = {
    "masq": _audits(REACHABLE_ON_5060, ALL_SAY_5060),
    "strict": _audits(
        Audit("ok not_registered not_registered not_registered", ("warning not_registered 102 103 104", "warning wrong_setting 102 103 104")),
        Audit("nat_option_missing not_registered not_registered not_registered",
              ("error nat_option_missing (101)", "warning not_registered 102 103 104", "warning wrong_setting 102 103 104"))),
    "overload": _audits(Audit("duplicate", ("error duplicate 101 102 103 104",)), ALL_SAY_5060),
    "short": _audits(REACHABLE_ON_5060, ALL_SAY_5060),
    "random": _audits(
        # Nothing but the rollout can tell: an ordinary router, too, gives another port to all but one of the phones on 5060.
        Audit("port_contested wrong_port wrong_port wrong_port", (ON_5060, "warning port_contested 101")), ALL_SAY_5060,
        after=Audit("router_translated", ("error router_translated (101 102 103 104)",))),
    "alg": _audits(ALG_ON_5060, ALG_ON_5060, off_again=FINE),
}


@dataclass(frozen=True)
class Router:
    name: str
    stands_for: str
    ruleset: Callable[[], str]
    udp_timeout: int | None = None      # seconds; None: Linux' own 30 and 120
    keeps_ports: bool = True            # the PBX sees a phone's own local port, if it is the only one in the site

    @property
    def expiry(self) -> float:
        """How long a phone must be silent for the router to forget it; 0 where the lab doesn't wait for that."""
        return self.udp_timeout + 1.0 if self.udp_timeout else 0.0

    @property
    def audits(self) -> Mapping[str, Audit]:
        """What the audit must say, station by station."""
        return AUDITS[self.name]


ROUTERS = {router.name: router for router in (
    Router("masq", "an ordinary Linux router: keeps the port if it is free, else takes a random one",
           lambda: _nat('oifname "wan" masquerade')),
    Router("strict", "a poor router: keeps the port always, so a second phone on it gets nothing through", _strict),
    Router("overload", "a poor router: all phones share one port, and who spoke last gets the answers", _overload),
    Router("short", "a poor router: forgets a phone that is silent for 6 seconds, and gives its port away",
           lambda: _nat('oifname "wan" masquerade'), udp_timeout=6),
    Router("random", "a router that gives every phone a random port, whatever the plan says",
           lambda: _nat('oifname "wan" masquerade random'), keeps_ports=False),
    Router("alg", "an ordinary router with a SIP ALG, which rewrites what the phones say", _alg),
)}


def install(router: Router, namespace: str, tree: Path) -> None:
    """Make the namespace this router; forgets all connections."""
    first, stream = (router.udp_timeout, router.udp_timeout) if router.udp_timeout else (30, 120)
    with inside(namespace):
        sh(*command(tree, "usr/sbin/nft", "-f", "-"), stdin=f"flush ruleset\n{router.ruleset()}")
        sh("sysctl", "-qw", f"net.netfilter.nf_conntrack_udp_timeout={first}", f"net.netfilter.nf_conntrack_udp_timeout_stream={stream}")
        forget(namespace, tree)


def forget(namespace: str, tree: Path) -> None:
    """The router is switched off and on: no phone has a way in until it speaks."""
    with inside(namespace):
        sh(*command(tree, "usr/sbin/conntrack", "-F"))
        if "owner" in sh(*command(tree, "usr/sbin/nft", "list", "maps")):
            sh(*command(tree, "usr/sbin/nft", "flush", "map", "ip", "overload", "owner"))
