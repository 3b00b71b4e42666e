"""Which addresses may be connected to, checked on the very addresses that are then used."""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# Prefixes whose addresses carry an IPv4 address in their last bits (NAT64) or after the prefix (6to4).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
# The only part of IPv6 that is given out (IANA); what lies outside it is local, special or an old form of IPv4.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class PrivateAddress(OSError):
    """A host stands for an address that is not on the public internet."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet, also where it is an IPv4 address in IPv6 clothes."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped
        if parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        elif parsed in _SIX_TO_FOUR:
            inner = ipaddress.IPv4Address((int(parsed) >> 80) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed not in _GLOBAL_UNICAST:
            return False
    return parsed.is_global and not parsed.is_multicast


def is_literal(host: str) -> bool:
    """Whether a host is written as an IP address; such a host is not resolved, so it has to be checked apart."""
    try:
        ipaddress.ip_address(host.strip("[]").split("%", 1)[0])
    except ValueError:
        return False
    return True


class PublicResolver(AbstractResolver):
    """Resolves names and refuses those that stand for private, loopback or otherwise special addresses."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Public addresses of a host.

        Raises:
            PrivateAddress: if it has addresses, but none is public.
        """
        found = await self._resolver.resolve(host, port, family)
        public = [result for result in found if is_public(result["host"])]
        if found and not public:
            raise PrivateAddress(f"{host} is {found[0]['host']}")
        return public

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()
