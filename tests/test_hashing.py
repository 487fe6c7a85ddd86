import hashlib

import pytest

from tasks.hashing import PIECE, WHOLE, sha256


@pytest.mark.parametrize("length", [0, 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, WHOLE, WHOLE + 1, 10 * WHOLE])
def test_a_digest_in_pieces_is_that_of_the_whole(length: int) -> None:
    text = ("天地 abc" * length).encode()[:length]
    assert sha256(text) == hashlib.sha256(text).hexdigest()
