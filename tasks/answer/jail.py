"""What runs between us and a program that we do not trust: this file, by itself, in a process of its own.

    python -I -S jail.py '{"folder": …, "python": …, "kept": [...], "limits": {...}}' program arguments…

It gives the program a network with nothing in it, a file system of the interpreter (read-only) and its own folder (in
memory, with a cap), a process tree of its own in which it sees nobody else, limits on what it may use, no environment,
and the rights of nobody; then it becomes the program. Linux namespaces do it: those of a user's own where we are not
root. Where they cannot be had it ends with 120, unless the limits alone are to do.

Standard library alone: it is started without any other.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

NO_JAIL = 120
NEWNS, NEWIPC, NEWUTS, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x4000000, 0x10000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE, NOSUID, NODEV = 0x1000, 0x4000, 0x40000, 0x2, 0x4
DETACH, PDEATHSIG, NO_NEW_PRIVILEGES = 2, 1, 38
MOUNT_SETATTR, PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
WHOLE = 0x8000 | 0x1000  # of mount_setattr: recursive, and of the folder that is open
READ_ONLY = (ctypes.c_uint64 * 4)(0x1 | 0x2, 0, 0, 0)  # rdonly and nosuid, nothing cleared
DEVICES = ("null", "zero", "urandom", "random")
NOBODY = 65_534
FIRST_UID = 400_000  # a user of its own for each program, so that what one starts does not count against another
libc = ctypes.CDLL(None, use_errno=True)


def checked(code: int, what: str) -> None:
    """Raises OSError where a call of the C library failed."""
    if code:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def apart() -> None:
    """Into namespaces of our own; as somebody who is not root, into a user namespace first. Raises OSError."""
    spaces = NEWNS | NEWIPC | NEWUTS | NEWPID | NEWNET
    uid, gid = os.geteuid(), os.getegid()
    checked(libc.unshare(spaces if uid == 0 else spaces | NEWUSER), "unshare")
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")


def walled(folder: Path, kept: list[str], megabytes: int) -> None:
    """A root that holds what is kept, read-only, and /work with the folder's files; the old one is out of reach."""
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    mount("none", Path("/"), "", RECURSIVE | PRIVATE)
    mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, f"size={megabytes}m,mode=755")
    for path in kept:
        keep(path, folder / path.lstrip("/"))
    (folder / "dev").mkdir()
    for name in DEVICES:
        (folder / "dev" / name).touch()
        mount(f"/dev/{name}", folder / "dev" / name, "", BIND)
    work = folder / "work"
    work.mkdir()
    work.chmod(0o777)
    for name, content in files.items():
        (work / name).write_bytes(content)
    os.chdir(folder)
    checked(libc.syscall(PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    checked(libc.umount2(b".", DETACH), "umount")
    os.chdir("/work")


def keep(path: str, inside: Path) -> None:
    """A folder of the old root, read-only, or a link as it is."""
    inside.parent.mkdir(parents=True, exist_ok=True)
    if os.path.islink(path):
        inside.symlink_to(os.readlink(path))
        return
    inside.mkdir(exist_ok=True)
    mount(path, inside, "", BIND | RECURSIVE)
    fd = os.open(inside, os.O_PATH)
    code = libc.syscall(MOUNT_SETATTR, fd, b"", WHOLE, READ_ONLY, ctypes.sizeof(READ_ONLY))
    checked(code, f"mount_setattr {path}")
    os.close(fd)


def mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    checked(libc.mount(source.encode(), bytes(target), kind.encode(), flags, data.encode()), f"mount {target}")


def limited(limits: dict[str, int]) -> None:
    """Caps on what this process and its children may use; they cannot be raised again."""
    caps = {
        resource.RLIMIT_CPU: limits["seconds"],
        resource.RLIMIT_AS: limits["memory"],
        resource.RLIMIT_FSIZE: limits["file_size"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in caps.items():
        resource.setrlimit(what, (most, most))


def nobody(number: int) -> None:
    """The rights of nobody, for good; as root before, those of a user whom nobody else is."""
    if os.geteuid() == 0:
        own = FIRST_UID + number
        os.setgroups([])
        os.setresgid(own, own, own)
        os.setresuid(own, own, own)
    checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def with_parent() -> None:
    """Ends when the process ends that started this one."""
    checked(libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def ended(child: int) -> int:
    """How a child ended, as a shell would say it."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def confined(told: dict[str, Any]) -> None:
    """From here on in the jail; the process above this one waits for it and ends as it does."""
    apart()
    if first := os.fork():
        os._exit(ended(first))
    with_parent()
    walled(Path(told["folder"]), told["kept"], told["limits"]["folder"])
    if program := os.fork():  # the first process of a tree hears no signals, so the program is the second
        os._exit(ended(program))


def main(told: dict[str, Any], arguments: list[str]) -> int:
    try:
        if told["confined"]:
            with_parent()
            confined(told)
        limited(told["limits"])
        if told["confined"]:
            nobody(told["number"])
    except (OSError, KeyError) as fault:
        print(fault, file=sys.stderr)
        return NO_JAIL
    return os.execve(told["python"], [told["python"], *arguments], {})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
