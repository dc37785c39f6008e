"""The site's network: phones and a laptop on a LAN, a router, and the PBX on the other side.

    phone 101 ... 10N (192.168.1.N) --+
    laptop 192.168.1.2 ---------------+-- bridge "lan" 192.168.1.1 [router] wan 203.0.113.1 -- 203.0.113.10 pbx

Every machine is a network namespace. The PBX has no default route: private addresses are unreachable from it, as on the internet.
"""

from __future__ import annotations

from pathlib import Path

from tests.lab.spaces import inside, sh

ROUTER, PBX, LAPTOP = "router", "pbx", "laptop"
PBX_ADDRESS = "203.0.113.10"


def lan_address(number: int) -> str:
    return f"192.168.1.{number}"


def phone_space(number: int) -> str:
    return f"phone{number}"


def build(phones: list[int]) -> None:
    """Make all namespaces and wires; the router only forwards, until routers.install()."""
    for namespace in (ROUTER, PBX):
        sh("ip", "netns", "add", namespace)
    sh("ip", "link", "add", "wan", "netns", ROUTER, "type", "veth", "peer", "name", "eth0", "netns", PBX)
    _address(ROUTER, "wan", "203.0.113.1")
    _address(PBX, "eth0", PBX_ADDRESS)
    sh("ip", "-n", ROUTER, "link", "add", "lan", "type", "bridge")
    _address(ROUTER, "lan", lan_address(1))
    with inside(ROUTER):
        sh("sysctl", "-qw", "net.ipv4.ip_forward=1")
        # Trap: where the kernel has br_netfilter, the router's firewall would also judge what one machine of the LAN says to another.
        if Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
            sh("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")
    _plug_in(LAPTOP, 2)
    for number in phones:
        _plug_in(phone_space(number), number)


def _plug_in(namespace: str, number: int) -> None:
    port = f"port{number}"
    sh("ip", "netns", "add", namespace)
    sh("ip", "link", "add", port, "netns", ROUTER, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    sh("ip", "-n", ROUTER, "link", "set", port, "master", "lan", "up")
    _address(namespace, "eth0", lan_address(number))
    sh("ip", "-n", namespace, "route", "add", "default", "via", lan_address(1))


def _address(namespace: str, device: str, address: str) -> None:
    sh("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", device)
    sh("ip", "-n", namespace, "link", "set", device, "up")
    sh("ip", "-n", namespace, "link", "set", "lo", "up")
