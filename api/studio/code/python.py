"""The code for Python, with its standard library alone."""

from __future__ import annotations

import json

from api.studio.code.parts import PATIENCE, Files, notes
from core.http_call import HttpCall, Place, Polling, Upload
from core.spec import ParamValue


def python(call: HttpCall, files: Files) -> str:
    """Return a program that makes a call and writes the picture.

    Texts stand in it as JSON has them, which are literals of Python too; what cannot be seen is escaped.
    """
    parts = [_head(call, files), _body(call)]
    parts.append(_uploaded(call.upload, files, call.image) if call.upload else _inline(call, files))
    parts.append(f"answer = ask({_literal(call.url)}, json.dumps(body).encode())")
    if call.polling:
        parts.append(_wait(call.polling))
    parts.append(_save(call.result, files))
    return "\n".join(parts)


def _head(call: HttpCall, files: Files) -> str:
    modules = ["json", "os", "sys", "urllib.error", "urllib.request"]
    modules += ["uuid"] if call.upload else ["base64"]
    modules += ["time"] if call.polling else []
    imports = "\n".join(f"import {each}" for each in sorted(modules))
    return f"""\
{notes(call, files, "#")}
{imports}
from pathlib import Path

KEY = os.environ.get("{call.key_env}", "")
AGENT = {{"User-Agent": "srpo-studio"}}  # some servers refuse Python's own


def ask(url, data=None, kind="application/json"):
    headers = {{"Authorization": f"Bearer {{KEY}}", "Content-Type": kind, **AGENT}}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{{error}}: {{error.read().decode()}}")


reference = Path("{files.reference}").read_bytes()"""


def _body(call: HttpCall) -> str:
    fields = "\n".join(f"    {_literal(name)}: {_literal(value)}," for name, value in call.body.items())
    return f"body = {{\n{fields}\n}}"


def _inline(call: HttpCall, files: Files) -> str:
    return f"""\
# or a public URL of the picture
body["{call.image}"] = "data:{files.mime};base64," + base64.b64encode(reference).decode()"""


def _uploaded(upload: Upload, files: Files, image: str) -> str:
    return f"""\
boundary = uuid.uuid4().hex
form = (
    f'--{{boundary}}\\r\\nContent-Disposition: form-data; name="file"; filename="{files.reference}"\\r\\n'
    "Content-Type: {files.mime}\\r\\n\\r\\n"
).encode() + reference + f"\\r\\n--{{boundary}}--\\r\\n".encode()
uploaded = ask({_literal(upload.url)}, form, f"multipart/form-data; boundary={{boundary}}")
body["{image}"] = uploaded{_at(upload.address)}"""


def _wait(polling: Polling) -> str:
    status = f"answer{_at(polling.status)}"
    ended = ", ".join(map(_literal, (polling.done, *polling.failed)))
    return f"""\
ended = ({ended})
task, deadline = answer{_at(polling.id)}, time.monotonic() + {PATIENCE}
while {status} not in ended and time.monotonic() < deadline:
    time.sleep(1)
    answer = ask({_literal(polling.before)} + task + {_literal(polling.after)})
if {status} != {_literal(polling.done)}:
    sys.exit(json.dumps(answer))"""


def _save(place: Place, files: Files) -> str:
    return f"""\
address = answer{_at(place)}
with urllib.request.urlopen(urllib.request.Request(address, headers=AGENT)) as picture:
    Path("{files.result}").write_bytes(picture.read())
print("{files.result}")
"""


def _at(place: Place) -> str:
    return "".join(f"[{_literal(each)}]" for each in place)


def _literal(value: ParamValue) -> str:
    if not isinstance(value, str):
        return repr(value)
    text = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
