r"""Backslashes of TeX in a JSON reply that the model forgot to double: `"\frac{1}{2}"` for `"\\frac{1}{2}"`.

JSON either refuses them (`\(`, `\div`) or, worse, reads them as something else: `\frac` begins with a form feed,
`\times` with a tab. No text means a form feed or a backspace; a tab, a line feed or a carriage return stays one but
where the name of a command goes on after it.
"""

from __future__ import annotations

import re

AFTER_T = r"(?:imes|heta|au|riangle|ilde|herefore)(?![A-Za-z])|(?:ext[a-z]{0,2}|frac|binom)\s*\{|an\s*[\\({\d]|o(?= )"
AFTER_N = r"(?:eq|abla|mid|eg|otin|leq|geq)(?![A-Za-z])"
AFTER_R = r"(?:ight|ightarrow|ho|angle|ceil|floor|vert|brace|brack)(?![a-z])|(?:m|aise)\s*\{"
ESCAPE = re.compile(rf'\\(?:[\\"/]|u[0-9A-Fa-f]{{4}}|t(?!{AFTER_T})|n(?!{AFTER_N})|r(?!{AFTER_R})|(?P<bare>))')


def doubled(text: str) -> str:
    """JSON with those backslashes doubled that stand for themselves; any other text comes back as it is."""
    return ESCAPE.sub(lambda found: found[0] if found["bare"] is None else r"\\", text) if "\\" in text else text
