"""Every meter on a bus, found by selecting ever narrower ranges of their secondary addresses."""

from __future__ import annotations

from collections.abc import Callable

from smart_meter_reader.codecs.mbus.address import WILDCARD, Secondary
from smart_meter_reader.codecs.mbus.frame import FCB, REQ_UD2, SELECTED, ShortFrame
from smart_meter_reader.codecs.mbus.search import Search
from smart_meter_reader.codecs.mbus.session import link_reset
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, parse_telegram
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.meters.mbus.line import MbusLine

EVERYWHERE = Secondary(WILDCARD * 8)
# So many numbers that several meters share are no bus: something answers whoever is selected, and a search
# of all hundred million numbers would not come to an end.
_MOST_STUCK = 8
_ANSWERS_ITSELF = (
    "something answers whatever number is selected, and it is no meter: another kind of device, or a "
    "converter or bus that answers itself"
)


async def search_bus(
    line: MbusLine, within: Secondary, tell: Callable[[str], None]
) -> tuple[list[tuple[int, MbusTelegram]], list[str]]:
    """The meters found, each with its primary address and first telegram; and what is left unclear, in words.

    ``tell`` gets each step for the person who waits: a bus at 300 Bd takes minutes. Raises TransportError.
    """
    search = Search(within)
    found: list[tuple[int, MbusTelegram]] = []
    unclear: list[str] = []
    told = ""
    while (there := search.next) is not None:
        # The first question is about all of them: where none answers there is no search to tell of.
        if there != within and (where := _where(search, len(found))) != told:
            told = where
            tell(f"selecting {there.digits.replace(WILDCARD, '.')} ({where})")
        answers = await _ask(line, there, again=there == within)
        if answers is None:
            search.none()
        elif isinstance(answers, str):
            unclear.append(answers)
            search.one()
        elif answers:
            found.append(answers)
            search.one()
        else:
            search.several()
        if len(search.stuck) >= _MOST_STUCK:
            return found, [*unclear, _ANSWERS_ITSELF]
    await line.attempt(link_reset(SELECTED), wants_ack=True)
    unclear += [f"several meters have the number {there.digits}" for there in search.stuck]
    return found, unclear


def _where(search: Search, count: int) -> str:
    return f"{search.progress:.0%} searched, {count} found"


async def _ask(
    line: MbusLine, there: Secondary, *, again: bool
) -> tuple[int, MbusTelegram] | str | tuple[()] | None:
    """One meter; () for several at once; None for none; words for one that cannot be read."""
    heard = await line.attempt(there.selection(), wants_ack=True)
    if heard.is_silent and again:
        heard = await line.attempt(there.selection(), wants_ack=True)
    if heard.is_silent:
        return None
    if not heard.ack:
        return ()
    for request in (REQ_UD2 | FCB, REQ_UD2):
        heard = await line.attempt(ShortFrame(request, SELECTED), wants_ack=False)
        if heard.answer is not None:
            try:
                return heard.answer.address, parse_telegram(heard.answer)
            except ProtocolError as error:
                return f"a meter with {there} answers what is not read: {error.detail}"
        if not heard.is_silent:
            return ()
    return f"a meter with {there} lets itself be selected and then says nothing"
