"""A log of invented questions, Chinese and English by turns: no two alike enough to be taken for one.

A question is a few clauses drawn by its number from short lists; what two of them have in common stays far under the
likeness at which prompts are merged. Users and times are spread, so that nobody seems to repeat himself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
SPAN = timedelta(days=7)
ROWS_OF_A_USER = 40

WHO = """a baker|my neighbour|the night shift|a retired pilot|our choir|two students|the harbour office|a new farmer
the school kitchen|a careful landlord|our chess club|the bus driver|a young nurse|the village library|my aunt
a glass blower|the repair shop|an early cyclist|our orchestra|the tall gardener|a sound engineer|the post office
my flatmate|an amateur astronomer|the ferry crew|a cheese maker|our hiking group|the museum guard|a tailor|the vet"""
DOES = """wants to store|has to compare|would like to move|keeps losing|plans to paint|is asked to count
hopes to sell|tries to mend|must insure|wants to photograph|forgot to label|has to weigh|would rather borrow
needs to dry|is about to order|wonders how to clean|likes to collect|was told to measure|should replace|must carry"""
WHAT = """forty jars of plum jam|a broken accordion|the winter timetable|three copper kettles|an old weather map
sixteen wooden ladders|the spare batteries|a crate of lemons|her grandfather's compass|the blue curtains
nine bags of cement|a signed football|the church bells|some rare postage stamps|a leaking canoe|the office plants
twelve folding chairs|a box of magnets|the third floor windows|an unfinished novel|the rescue ropes|a pair of skis
seven lamps without shades|the recipe cards|a very heavy piano|the harvest photographs|two rolls of felt
an empty aquarium|the fire buckets|a drawer of loose keys"""
WHEN = """before the first snow|while the lift is out of order|on a budget of ninety euros|without waking anyone
during the long weekend|after a night of rain|with only one free hand|until the inspector comes|in less than an hour
although the road is closed|when the power fails|as cheaply as possible|for a visitor from Lisbon|by tomorrow noon
under a flat roof|in a room of ten square metres|with the help of children|since the cellar flooded
if the shop is shut|because the lease ends in May"""
ASKED = """What should be done first, and why?|Please list the steps in order.|Which mistakes are common here?
How would you explain this to a beginner?|What would it cost, roughly?|Write a short note that says so.
Give three options and their drawbacks.|Which tools are needed, and which are not?"""

谁 = """面包师傅|我的邻居|值夜班的同事|退休的飞行员|合唱团|两个大学生|港务办公室|刚种地的年轻人|学校食堂|细心的房东
象棋社|公交车司机|年轻护士|镇上的图书馆|我姑妈|吹玻璃的匠人|修理铺老板|早起的骑行者|交响乐团|高个子园丁
录音师|邮局职员|我的室友|业余天文爱好者|渡轮船员|做奶酪的人|徒步小组|博物馆保安|裁缝|兽医"""
做 = """想要存放|必须比较|打算搬走|总是弄丢|准备粉刷|被要求清点|希望卖掉|试着修好|需要投保|想给人拍摄
忘了标记|得称一称|宁愿借来|要晾干|正要订购|不知道怎么清洗|喜欢收集|奉命测量|应该更换|不得不搬运"""
物 = """四十罐李子酱|一台坏了的手风琴|冬季时刻表|三把铜水壶|一张旧气象图|十六架木梯|备用电池|一箱柠檬|祖父留下的指南针
蓝色窗帘|九袋水泥|一只签名足球|教堂的大钟|几枚珍稀邮票|一条漏水的独木舟|办公室的绿植|十二把折叠椅|一盒磁铁
三楼的窗户|一部没写完的小说|救生绳|一副滑雪板|七盏没有灯罩的台灯|菜谱卡片|一架很沉的钢琴|丰收的照片
两卷毛毡|一个空鱼缸|消防水桶|一抽屉散落的钥匙"""
时 = """赶在第一场雪之前|趁电梯停用的时候|预算只有九十块钱|又不能吵醒任何人|就在这个长假里|下了一夜雨之后|只有一只手空着
要等检查员来之前|不到一个小时之内|尽管路已经封了|碰上停电的时候|越便宜越好|为一位外地来的客人|明天中午以前
在一块平屋顶底下|房间只有十平方米|还有孩子们帮忙|自从地下室进水以后|要是商店关了门|因为租约五月到期"""
问 = """应该先做什么，为什么？|请按顺序列出步骤。|这里常见的错误有哪些？|怎样给初学者讲清楚？|大概要花多少钱？
写一张简短的便条说明这件事。|给出三种办法，并说说各自的缺点。|哪些工具用得上，哪些用不上？"""


def words(listed: str) -> list[str]:
    return listed.replace("\n", "|").split("|")


EN = [words(some) for some in (WHO, DOES, WHAT, WHEN)]
ZH = [words(some) for some in (谁, 做, 物, 时)]


def sentences(chance: Random, chinese: bool, count: int) -> str:
    """So many sentences, drawn."""
    if chinese:
        return "".join("".join(chance.choice(some) for some in ZH) + "。" for _ in range(count))
    drawn = (" ".join(chance.choice(some) for some in EN) for _ in range(count))
    return " ".join(f"{one[0].upper()}{one[1:]}." for one in drawn)


def question(number: int) -> str:
    """The question of this number."""
    chance, chinese = Random(number), bool(number % 2)
    asked = chance.choice(words(问 if chinese else ASKED))
    return f"{sentences(chance, chinese, 4)}{'' if chinese else ' '}{asked}"


def write(path: Path, count: int) -> None:
    """The log, as JSON lines of our own shape."""
    with path.open("w", encoding="utf-8") as out:
        for number in range(count):
            moment = BEGIN + SPAN * number / count
            row = {
                "id": f"q-{number:07d}",
                "created_at": moment.isoformat(),
                "user_id": f"u-{number % max(1, count // ROWS_OF_A_USER)}",
                "messages": [{"role": "user", "content": question(number)}],
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
