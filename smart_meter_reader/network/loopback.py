"""Whether what is sent to a host stays on this computer."""

from __future__ import annotations


def is_this_computer(host: str) -> bool:
    """Whether ``host`` is a loopback address, or a name that can only be one (RFC 6761, 6.3).

    Any other name may be answered by whoever is quicker, homeassistant.local (mDNS) among them.
    """
    # Imported only now: few settings need it.
    from ipaddress import IPv6Address, ip_address

    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
