"""What commands import and read from the project, whatever they are asked: the process that has it forks them.

What is missing here is imported by each command that needs it, as in an interpreter of its own.
"""

from importlib import import_module

from flows.commands import COMMANDS
from tasks import language
from tasks.history import near
from tasks.mine import chat

FLOWS = ("flows.refresh", "flows.synthesize", "flows.trying")
LATE = (  # imported by functions of ours and of theirs
    *("prefect.flow_engine", "prefect.task_engine", "prefect.events.clients", "prefect.utilities.visualization"),
    *("fastapi", "anyio._backends._asyncio", "great_expectations.expectations", "tasks.gate.expectations", "openai"),
    *("pyarrow.dataset", "genai_prices.data", "tokenizers", "phonenumbers", "stdnum.us.ssn", "opencc", "pypinyin"),
)

for module in sorted({*(module for module, _ in COMMANDS.values()), *FLOWS, *LATE}):
    import_module(module)
for read in (language.model, near.permutations, near.chinese, chat.phrases):
    read()
