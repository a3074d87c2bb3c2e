"""The program of a decoder process: reads pictures that strangers sent, one at a time, and hands back plain values.

It imports Pillow and this app's picture modules only, and starts in about 0.2 s. It has no keys in its environment, no
database and no socket; its memory and its processor time are limited, and it ends when its parent does, however that
ends. Started by `engine.decoders`, which describes the messages.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import struct
import sys
import threading
import traceback
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

from core.errors import BadImage, StudioError
from core.imaging.display import render
from core.imaging.images import Reference, read_reference
from core.imaging.inline_body import separate

LENGTH = struct.Struct(">II")
"""What a message begins with: the bytes of its JSON, and of the file that follows."""


def main(memory: int, seconds: int, niceness: int) -> None:
    """Answer requests from standard input on standard output until it closes.

    Args:
        memory: bytes of address space.
        seconds: of processor time for one picture.
        niceness: added to the parent's.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # who stops the whole app stops the parent, which ends this one
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a C library prints is no answer
    _end_with_parent(requests)
    _limit(memory, niceness)
    while (message := receive(requests)) is not None:
        _allow(seconds)
        answer, file = _answer(*message)
        del message
        send(answers, answer, file)


def send(pipe: IO[bytes], values: dict[str, Any], file: bytes) -> None:
    """Write a message."""
    text = json.dumps(values).encode()
    pipe.write(LENGTH.pack(len(text), len(file)))
    pipe.write(text)
    pipe.write(file)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read a message; None where the other side has gone."""
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    text_length, length = LENGTH.unpack(head)
    text, file = pipe.read(text_length), pipe.read(length)
    if len(text) < text_length or len(file) < length:
        return None
    values: dict[str, Any] = json.loads(text)
    return values, file


def _answer(values: dict[str, Any], file: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        data = _read(values["path"]) if "path" in values else file
        if values["task"] == "display":
            return {}, render(data, values["width"])
        if values["task"] == "separate":
            return {}, separate(data, values["place"], Path(values["into"]), values["most"])
        reference = read_reference(data, values["address"], **values["limits"])
        known = {each.name: getattr(reference, each.name) for each in fields(Reference) if each.name != "data"}
        known["notices"] = [each.as_json() for each in reference.notices]
        return {"reference": known}, reference.data
    except MemoryError:
        return {"memory": True}, b""
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return {"full": True}, b""
        return {"broken": traceback.format_exc()[-2000:]}, b""
    except StudioError as error:
        if _wants_memory(error):
            return {"memory": True}, b""
        return {"error": error.as_json()}, b""
    except Exception:
        return {"broken": traceback.format_exc()[-2000:]}, b""


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadImage("image-file-gone") from error


def _wants_memory(error: StudioError) -> bool:
    """Return whether a decoder's failure was that it got no memory; some say so in words alone."""
    cause = error.__cause__
    return isinstance(cause, MemoryError) or (isinstance(cause, OSError) and "memory" in str(cause))


def _limit(memory: int, niceness: int) -> None:
    """Take what the machine needs for others; Windows knows none of it."""
    if sys.platform != "win32":
        import resource

        os.nice(niceness)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(seconds: int) -> None:
    """Let the next picture take its seconds: then the system ends the process."""
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _end_with_parent(requests: IO[bytes]) -> None:
    """End at once when the parent's side of the pipe closes, also in the middle of a picture."""
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(requests.fileno(), 0)  # poll reports the end of the other side unasked

    def watch() -> None:
        poll.poll()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
