"""Head and body of an answer leave together; a head without a body does not wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from serving.joined_writes import JoinedWrites


class Sent(asyncio.Transport):
    """A transport that notes what it is to send at once."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.packets.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.packets.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


def sent(*writes: bytes, turns_between: int = 0, close: bool = False) -> list[bytes]:
    async def write() -> list[bytes]:
        packets = Sent()
        joined = JoinedWrites(packets, asyncio.get_running_loop())
        for data in writes:
            joined.write(data)
            for _ in range(turns_between):
                await asyncio.sleep(0)
        if close:
            joined.close()
            return [*packets.packets, b"closed"]
        await asyncio.sleep(0)
        return packets.packets

    return asyncio.run(write())


def test_head_and_body_are_one_packet() -> None:
    assert sent(b"head ", b"body") == [b"head body"]


def test_a_head_whose_body_takes_its_time_is_sent_before_it() -> None:
    assert sent(b"head ", b"body", turns_between=2) == [b"head ", b"body"]


def test_a_head_without_a_body_is_sent() -> None:
    assert sent(b"head") == sent(b"head", b"") == [b"head"]


def test_nothing_is_lost_where_the_connection_is_closed_at_once() -> None:
    assert sent(b"head", close=True) == [b"head", b"closed"]


def test_nothing_is_written_to_a_connection_that_is_gone() -> None:
    async def write() -> list[bytes]:
        packets = Sent()
        joined = JoinedWrites(packets, asyncio.get_running_loop())
        joined.write(b"head")
        packets.close()
        await asyncio.sleep(0)
        return packets.packets

    assert asyncio.run(write()) == []


def test_everything_else_is_the_transports() -> None:
    async def closing() -> tuple[bool, bool]:
        packets = Sent()
        joined = cast(asyncio.Transport, JoinedWrites(packets, asyncio.get_running_loop()))
        before = joined.is_closing()
        packets.close()
        return before, joined.is_closing()

    assert asyncio.run(closing()) == (False, True)
