import asyncio
import random
import socket

import pytest

from tasks.teacher.frames import LENGTHS, Frames

Seen = list[tuple[int, int, bytes, bytes]]
SAID: Seen = [
    (1, 200, b"{}", "面包能放多久？".encode()),
    (2, 0, b"", b""),
    (2**32 - 1, 599, b"head", b""),
    (7, 3, b"", bytes(range(256)) * 40),
]


def packed(frames: Seen) -> bytes:
    return b"".join(LENGTHS.pack(n, what, len(head), len(body)) + head + body for n, what, head, body in frames)


@pytest.mark.parametrize("most", [1, 13, 14, 15, 1000, 10**7])
def test_frames_are_whole_however_the_bytes_come(most: int) -> None:
    got: Seen = []
    frames, sent, dice = Frames(lambda *frame: got.append(frame), lambda: None), packed(SAID), random.Random(most)
    while sent:
        size = dice.randint(1, most)
        frames.data_received(sent[:size])
        sent = sent[size:]
    assert got == SAID
    assert not frames.held


async def test_what_is_put_before_the_line_stands_is_said_once_it_does_and_the_end_is_told_once() -> None:
    got: Seen = []
    ended: list[str] = []
    loop, (ours, theirs) = asyncio.get_running_loop(), socket.socketpair()
    one = Frames(lambda *frame: got.append(frame), lambda: ended.append("one"))
    other = Frames(lambda *frame: got.append(frame), lambda: ended.append("other"))
    for frame in SAID:
        one.put(*frame)
    await asyncio.sleep(0)
    await loop.create_connection(lambda: one, sock=ours)
    await loop.create_connection(lambda: other, sock=theirs)
    while len(got) < len(SAID):
        await asyncio.sleep(0.001)
    assert got == SAID
    assert one.transport
    one.transport.close()
    while len(ended) < 2:
        await asyncio.sleep(0.001)
    one.put(1, 2)
    await asyncio.sleep(0.01)
    assert sorted(ended) == ["one", "other"]
