"""The code for Node.js 18 and later, without packages."""

from __future__ import annotations

import json
import textwrap

from api.studio.code.parts import PATIENCE, Files, json_object, notes
from core.http_call import HttpCall, Place, Polling, Upload


def javascript(call: HttpCall, files: Files) -> str:
    """Return a program that makes a call and writes the picture, as a script or a module.

    Texts stand in it as JSON, which JavaScript reads, with no `<` that could end a script of a page.
    """
    parts = [_head(call, files)]
    parts.append(_uploaded(call, call.upload, files) if call.upload else _inline(call, files))
    parts.append(_post(call))
    if call.polling:
        parts.append(_wait(call.polling))
    parts.append(_save(call.result, files))
    return "\n".join(parts)


def _head(call: HttpCall, files: Files) -> str:
    body = textwrap.indent(json_object(call.body).replace("<", "\\u003c"), "  ").lstrip()
    return f"""\
{notes(call, files, "//")}
async function ask(url, options) {{
  const headers = {{ ...options.headers, Authorization: `Bearer ${{process.env.{call.key_env} ?? ''}}` }};
  const response = await fetch(url, {{ ...options, headers }});
  const text = await response.text();
  if (!response.ok) throw new Error(`${{response.status}}: ${{text}}`);
  return JSON.parse(text);
}}

async function main() {{
  const {{ readFile, writeFile }} = await import('node:fs/promises');
  const reference = await readFile('{files.reference}');
  const body = {body};"""


def _inline(call: HttpCall, files: Files) -> str:
    return f"""\
  // or a public URL of the picture
  body.{call.image} = `data:{files.mime};base64,${{reference.toString('base64')}}`;"""


def _uploaded(call: HttpCall, upload: Upload, files: Files) -> str:
    return f"""\
  const form = new FormData();
  form.append('file', new Blob([reference], {{ type: '{files.mime}' }}), '{files.reference}');
  const uploaded = await ask({json.dumps(upload.url)}, {{ method: 'POST', body: form }});
  body.{call.image} = uploaded{_at(upload.address)};"""


def _post(call: HttpCall) -> str:
    return f"""\
  {"let" if call.polling else "const"} answer = await ask({json.dumps(call.url)}, {{
    method: 'POST',
    headers: {{ 'Content-Type': 'application/json' }},
    body: JSON.stringify(body),
  }});"""


def _wait(polling: Polling) -> str:
    status = f"answer{_at(polling.status)}"
    return f"""\
  const task = answer{_at(polling.id)};
  const ended = {json.dumps([polling.done, *polling.failed])};
  const deadline = Date.now() + {PATIENCE * 1000};
  while (!ended.includes({status}) && Date.now() < deadline) {{
    await new Promise((resume) => setTimeout(resume, 1000));
    answer = await ask({json.dumps(polling.before)} + task + {json.dumps(polling.after)}, {{}});
  }}
  if ({status} !== '{polling.done}') throw new Error(JSON.stringify(answer));"""


def _save(place: Place, files: Files) -> str:
    return f"""\
  const picture = await fetch(answer{_at(place)});
  if (!picture.ok) throw new Error(`${{picture.status}}: ${{await picture.text()}}`);
  await writeFile('{files.result}', Buffer.from(await picture.arrayBuffer()));
  console.log('{files.result}');
}}

main().catch((error) => {{
  console.error(error);
  process.exitCode = 1;
}});
"""


def _at(place: Place) -> str:
    return "".join(f".{each}" if isinstance(each, str) else f"[{each}]" for each in place)
