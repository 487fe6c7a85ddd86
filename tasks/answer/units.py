"""Units that a final answer may be in, in English and Chinese: what they measure, and how many of the smallest."""

from __future__ import annotations

from fractions import Fraction

TABLE = """
share    1      %, percent, per cent, pct, 个百分点
length   1      mm, millimetre, millimetres, millimeter, millimeters, 毫米
length   10     cm, centimetre, centimetres, centimeter, centimeters, 厘米
length   100    dm, 分米
length   1000   m, metre, metres, meter, meters, 米
length   1e6    km, kilometre, kilometres, kilometer, kilometers, 千米, 公里
foot     1      inch, inches
foot     12     ft, foot, feet
foot     36     yard, yards
foot     63360  mile, miles
mass     1      mg, milligram, milligrams, 毫克
mass     1000   g, gram, grams, 克
mass     1e6    kg, kilogram, kilograms, kilogrammes, 千克, 公斤
mass     5e5    斤
mass     1e9    t, tonne, tonnes, 吨
volume   1      ml, millilitre, millilitres, milliliter, milliliters, 毫升
volume   1000   l, litre, litres, liter, liters, 升
time     1      s, sec, second, seconds, 秒, 秒钟
time     60     min, mins, minute, minutes, 分钟
time     3600   h, hr, hrs, hour, hours, 小时, 个小时
time     86400  day, days, 天, 日
time     604800 week, weeks, 周, 星期, 个星期
dollar   1      cent, cents, 美分
dollar   100    $, dollar, dollars, usd, 美元
yuan     1      fen
yuan     10     角, 毛
yuan     100    ¥, yuan, rmb, cny, 元, 块, 块钱, 人民币
euro     1      €, euro, euros, eur, 欧元
pound    1      £, gbp, 英镑
"""
UNITS: dict[str, tuple[str, Fraction]] = {
    name.strip(): (measures, Fraction(times))
    for measures, times, names in (line.split(None, 2) for line in TABLE.strip().splitlines())
    for name in names.split(",")
}
