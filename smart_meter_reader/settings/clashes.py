"""What cannot be in one environment: a port or a tree of topics twice, a lease of a port of this machine."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from smart_meter_reader.settings.tables import MergedTables
from smart_meter_reader.settings.values import shown


def shared_ports(merged: MergedTables, meters: Mapping[str, Any]) -> Iterator[str]:
    """A port serves one meter: two clients on one line would read each other's answers. One line for each.

    Meters on a bus share theirs, where each has a place of its own there and all the same line. ``meters``
    are the settings by name, None where they have problems.
    """
    owners: dict[str, list[str]] = {}
    for name in merged.table("meters"):
        port = merged.table("meters", name).get("port")
        if not isinstance(port, str) or not port or "\0" in port:
            continue  # the client's own settings complain
        same = port if "://" in port else os.path.realpath(port)
        others = owners.setdefault(same, [])
        told = (_beside(meters.get(other), meters.get(name), other) for other in others)
        problem = next(filter(None, told), "")
        others.append(name)
        if problem:
            place = merged.place / "meters" / name / "port"
            yield f"{place}: found {shown(str, port)}; allowed: {problem}"


def _beside(first: Any, second: Any, owner: str) -> str:
    """What a second meter at a port needs instead; "" when both are on a bus and can be told apart."""
    known = [meter for meter in (first, second) if meter is not None]
    clients = {meter.client for meter in known}
    places = [meter.driver.place_on_port for meter in known]
    if len(clients) != 1 or None in places:
        bus = ", or on a bus an address for each" if len(clients) == 1 and any(places) else ""
        return f'a port of its own{bus}; meter "{owner}" has this one'
    if any(meter.lease for meter in known):
        return "no `lease` for meters that share a bus: two machines would ask on it at once"
    if len(known) == 1:
        return ""  # on a bus; what has problems of its own may well be there too
    one, other = first.driver, second.driver
    if one.lines != other.lines:
        return f'the same speed for all meters of a bus; meter "{owner}" has another one'
    if one.place_on_port == other.place_on_port:
        return f'an address of its own for each meter of a bus, such as meter "{owner}" needs too'
    return ""


def shared_trees(merged: MergedTables, sinks: Mapping[str, Any]) -> Iterator[str]:
    """A tree of topics serves one sink: two would write different things to the same topics."""
    owners: dict[tuple[str, Hashable], str] = {}
    for name, settings in sinks.items():
        for key, tree in settings.trees.items():
            owner = owners.setdefault((key, tree), name)
            if owner != name:
                place = merged.place / "sinks" / name / key
                yield (
                    f"{place}: the sinks {owner} and {name} publish under the same `{key}` at one "
                    "broker; give one of them another"
                )


def unfit_for_lease(port: str) -> str:
    """Why a meter at ``port`` has no use for a lease; "" when it has. A serial line ends at one machine."""
    if port.startswith(("socket://", "rfc2217://")):
        return ""
    where = f'"{port}" is a port of this machine alone' if port else "this one is at no port at all"
    return (
        "allowed: only for a meter that other machines reach as well, at a port like "
        f"socket://HOST:PORT or rfc2217://HOST:PORT; {where}. Remove this line: nobody else can read it"
    )
