"""What nobody wrote on purpose, and what only looks strange."""

from __future__ import annotations

import pytest

from tasks.mine.gibberish import Gibberish
from tasks.step import Drop
from tests.mine.asks import seen
from tests.rows import HOSTILE


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("asdfghjkl asdfghjkl", "mashed"),
        ("sdfsdf", "mashed"),
        ("qwertyuiop zxcvbnm", "mashed"),
        ("dkfjgh skdjfhg wkjfh xcvkjh", "mashed"),
        ("hjkdfhgk sdfhjk, dfkjgh!", "mashed"),
        ("aaaaaaaaaaaa", "repeated"),
        ("help help help help help help ", "repeated"),
        ("？！？！？！？！？！", "repeated"),
        ("的的的的的的的的", "repeated"),
        ("测试一下测试一下测试一下测试一下测试一下", "repeated"),
        ("璺樸碜珄曪禵鼗龘讋齾", "misread"),
        ("浣犲ソ锛岃闂浣曟帓搴", "misread"),
        ("请问怎么用Python排序".encode().decode("cp1252", "ignore"), "misread"),
    ],
)
def test_mashed_keys_repetition_and_wrong_encodings_are_gibberish(text: str, what: str) -> None:
    assert Gibberish()(seen(text)) == Drop("gibberish", what)
    assert Gibberish()(seen(text, tags=("robust",))) is None


@pytest.mark.parametrize(
    "text",
    [
        "What does sha256 9f86d081884c7d659a2feaa0c55ad015 stand for?",
        "for (i=0;i<n;i++) x[i]=qwrt(x[i]);",
        "\\frac{dx}{dt} = kx, x(0) = x_0",
        "Is Zbigniew Brzezinski related to Krzysztof Szczerbowski?",
        "nginx kubectl systemctl httpd mysql",
        "HTTP vs HTTPS, SSL, TLS, SMTP",
        "wo xiang xue zhongwen, zenme ban",
        "hlep me wrte a emial to my bos plz",
        "What is asdfghjkl?",
        "why is the qwerty keyboard called so",
        "na na na na na song by My Chemical Romance",
        "Llanfairpwllgwyngyll 在哪里？",
        "请解释魑魅魍魉和饕餮的意思",
        "氢氦锂铍硼碳氮氧氟氖钠镁铝硅磷硫氯氩钾钙",
        "請問臺灣的總統府在哪裡",
        "帮我看看这个py脚本咋跑不起来，一直bao错",
        "为什么哈哈哈哈哈哈在网络上这么常用，是从哪里来的",
        "¿Cómo estás? Çok güzel, naïve café",
        "heyyyyy there buddyyyy",
        *HOSTILE,
    ],
)
def test_code_names_formulas_hashes_typos_and_mixed_text_are_not(text: str) -> None:
    assert Gibberish()(seen(text)) is None
