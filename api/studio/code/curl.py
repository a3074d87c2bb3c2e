"""The code for bash and curl."""

from __future__ import annotations

from shlex import quote

from api.studio.code.parts import PATIENCE, Files, json_object, notes
from core.http_call import HttpCall, Place, Polling, Upload


def curl(call: HttpCall, files: Files) -> str:
    """Return a script that makes a call and writes the picture.

    Arguments never hold the body: a reference is longer than a command line may be.
    """
    parts = [_head(call, files)]
    value = '"%s"}' if call.upload else f'"data:{files.mime};base64,%s"}}'
    parts.append(_uploaded(call.upload, files) if call.upload else _inline(files))
    parts.append(_body(call, value))
    if call.polling:
        parts.append(_wait(call.polling))
    parts.append(_save(call.result, files))
    return "\n".join(parts)


def _head(call: HttpCall, files: Files) -> str:
    return f"""\
#!/usr/bin/env bash
{notes(call, files, "#")}
set -euo pipefail

call() {{
  local answer
  answer=$(curl -sS --fail-with-body -H "Authorization: Bearer ${{{call.key_env}:-}}" "$@") || {{
    printf '%s\\n' "$answer" >&2
    exit 1
  }}
  printf '%s\\n' "$answer"
}}

# text ANSWER NAME [NUMBER]: the first text of that name, or a later one
text() {{
  tr -d '\\n' <<< "$1" | grep -o "\\"$2\\"[ :[]*\\"[^\\"]*\\"" | sed -n "${{3:-1}}s/.*\\"\\(.*\\)\\"/\\1/p" |
    sed -e 's/\\\\u0026/\\&/g' -e 's,\\\\/,/,g' || {{
    printf '%s\\n' "$1" >&2
    exit 1
  }}
}}
"""


def _inline(files: Files) -> str:
    return f"""\
# or a public URL of the picture
image=$(base64 < {files.reference} | tr -d '\\n')
"""


def _uploaded(upload: Upload, files: Files) -> str:
    return f"""\
uploaded=$(call {quote(upload.url)} -F 'file=@{files.reference};type={files.mime}')
image=$(text "$uploaded" {_name(upload.address)})
"""


def _body(call: HttpCall, value: str) -> str:
    fields = json_object(call.body).removesuffix("\n}")
    return f"""\
body() {{
  cat <<'JSON'
{fields},
  "{call.image}":
JSON
  printf '{value}' "$image"
}}

answer=$(body | call {quote(call.url)} -H 'Content-Type: application/json' --data-binary @-)
"""


def _wait(polling: Polling) -> str:
    status = _name(polling.status)
    ended = " ".join((polling.done, *polling.failed))
    return f"""\
task=$(text "$answer" {_name(polling.id)})
status=$(text "$answer" {status})
until [[ " {ended} " == *" $status "* ]] || (( SECONDS > {PATIENCE} )); do
  sleep 1
  answer=$(call {quote(polling.before)}"$task"{quote(polling.after)})
  status=$(text "$answer" {status})
done
"""


def _save(place: Place, files: Files) -> str:
    return f"""\
address=$(text "$answer" {_name(place)}{_number(place)})
curl -sSfL -o {files.result} "$address"
echo {files.result}
"""


def _name(place: Place) -> str:
    """Return the name by which `text` finds a place: its last key."""
    return [each for each in place if isinstance(each, str)][-1]


def _number(place: Place) -> str:
    """Return which text of that name it is, nothing for the first: an answer lists pictures in their order."""
    index = next((each for each in place if isinstance(each, int)), 0)
    return f" {index + 1}" if index else ""
