"""Programs that try to get out, or to use up the machine. Each is a real process; namespaces are there or the test says
so by failing: a machine that has none cannot show that the sandbox holds."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tasks.answer import sandbox
from tasks.answer.sandbox import Limits, NoSandbox, ended, missing, run

SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")
LIMITS = Limits(seconds=2, memory=256, files=4, processes=8, output=16)
SOUND = "def double(x):\n    return x * 2\n\nassert double(2) == 4\n"
ESCAPES = {
    "reaches the network": ("import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)", "failed"),
    "reaches this machine": ("import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1)", "failed"),
    "forks for ever": ("import os\nwhile True:\n    os.fork()", "failed"),
    "starts threads for ever": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "failed",
    ),
    "takes all memory": ("hoard = bytearray(10**10)", "out_of_memory"),
    "never ends": ("while True:\n    pass", "timed_out"),
    "sleeps for ever": ("import time\ntime.sleep(1000)", "timed_out"),
    "prints for ever": ("while True:\n    print('x' * 1000)", "too_much_output"),
    "fills the disk": ("with open('big', 'wb') as f:\n    while True:\n        f.write(b'x' * 10**6)", "failed"),
    "fills it with many files": (
        "for i in range(100):\n    open(str(i), 'wb').write(b'x' * 10**6)",
        "failed",
    ),
    "writes outside": ("open('{outside}/planted', 'w').write('x')", "failed"),
    "writes over the interpreter": ("import os\nopen(os.__file__, 'a').write('x')", "failed"),
    "reads what lies outside": ("print(open('{outside}/secret').read())", "failed"),
    "reads the environment of others": (
        "import os\nfor pid in range(1, 9):\n    print(open(f'/proc/{pid}/environ').read())",
        "failed",
    ),
    "kills whom it sees": ("import os, signal\nos.kill(-1, signal.SIGKILL)", "failed"),
    "mounts a root of its own": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.unshare(0x10000000 | 0x20000)\n"
        "libc.mount(b'none', b'/', b'', 0x1020, b'')\nopen('/usr/planted', 'w')",
        "failed",
    ),
    "ends before its tests": ("import sys\nsys.exit(0)", "failed"),
    "ends at once": ("import os\nos._exit(0)", "failed"),
}


async def test_a_program_that_does_as_its_tests_say_has_passed() -> None:
    assert not missing()
    ran = await run(SOUND, ">>> double(3)\n6\n")
    assert ran.ending == "passed"


@pytest.mark.parametrize("program", ["assert 1 == 2", "def test_it():\n    assert not 1", "raise KeyError('值')"])
async def test_a_program_that_does_not_has_failed(program: str) -> None:
    assert (await run(program)).ending == "failed"


async def test_an_example_that_gives_something_else_has_failed() -> None:
    assert (await run(SOUND, ">>> double(3)\n7\n")).ending == "failed"


async def test_a_module_that_is_not_there_is_told_from_a_failure() -> None:
    assert (await run("import numpy")).ending == "needs_module"


@pytest.mark.parametrize("attempt", ESCAPES)
async def test_a_program_gets_no_further_that(attempt: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    tmp_path.chmod(0o777)
    program, ending = ESCAPES[attempt]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        ran = await run(program.replace("{outside}", str(tmp_path)).replace("{port}", port), limits=LIMITS)
    assert ran.ending == ending, ran
    assert "secret" not in ran.said.replace(str(tmp_path / "secret"), "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secret"]


@pytest.mark.parametrize("confined", [True, False])
async def test_no_variable_of_ours_reaches_a_program(confined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    program = "import os\nassert not any('planted' in v for v in os.environ.values()), 'read'"
    assert (await run(program, confined=confined)).ending == "passed"


async def test_what_a_program_leaves_running_ends_with_it() -> None:
    program = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n"
    ran = await run(program, limits=LIMITS)
    assert ran.ending in ("passed", "timed_out")
    sleeping = [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"check.py" in read(p) and b"jail" not in read(p)]
    assert not sleeping


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


async def test_limits_alone_still_end_what_never_ends() -> None:
    assert (await run("while True:\n    pass", limits=LIMITS, confined=False)).ending == "timed_out"
    assert (await run(SOUND, limits=LIMITS, confined=False)).ending == "passed"


def test_a_machine_without_namespaces_has_no_sandbox_and_says_why() -> None:
    with pytest.raises(NoSandbox, match="unshare: Operation not permitted"):
        ended(120, "[Errno 1] unshare: Operation not permitted", "")


@pytest.mark.skipif(
    os.geteuid() != 0 or not SYSTEM_PYTHON, reason="only root can become somebody else, who needs a Python"
)
def test_somebody_who_is_not_root_has_a_sandbox_too() -> None:
    code = "from tasks.answer.sandbox import *; L = Limits(seconds=2, processes=8)\n"
    code += "print(missing(), *(run_now(p, '', L, True).ending for p in ('', 'open(\"/usr/x\", \"w\")', FORKS, KILLS)))"
    code = f"FORKS = 'import os\\nwhile True: os.fork()'; KILLS = 'import os; os.kill(-1, 9)'\n{code}"
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(Path(sandbox.__file__).parent, Path(folder) / "tasks" / "answer")
        ran = subprocess.run(
            [str(SYSTEM_PYTHON), "-c", code],
            cwd=folder,
            user=65_534,
            group=65_534,
            capture_output=True,
            text=True,
            env={},
        )
    assert ran.stdout.split() == ["passed", "failed", "failed", "failed"], ran
