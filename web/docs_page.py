"""The browsable form of the OpenAPI document: one page of plain HTML, no script, nothing from elsewhere."""

from collections.abc import Sequence
from html import escape
from typing import Any

CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid; }
h3 { margin-bottom: .2rem; font-size: 1rem; }
code { font-family: ui-monospace, monospace; }
table { border-collapse: collapse; margin: .4rem 0 1rem; }
td, th { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top; }
details { margin: .3rem 0; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
"""


def page(document: dict[str, Any]) -> str:
    """Return the document as HTML."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{escape(document['info']['title'])} API</title><link rel=stylesheet href=/api/docs/style.css>",
        f"<h1>{escape(document['info']['title'])} API {escape(document['info']['version'])}</h1>",
        f"<p>{_words(document['info']['description'])}</p>",
        "<p>The same as data: <a href=/api/openapi.json>OpenAPI 3.1</a>.</p>",
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2>")
        for path, operations in document["paths"].items():
            parts += [
                _operation(method, path, operation)
                for method, operation in operations.items()
                if operation["tags"] == [tag["name"]]
            ]
    parts.append("<h2>Models</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.append(f"<h3 id='{escape(name)}'>{escape(name)}</h3>{_schema(schema)}")
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [
        f"<h3><span class=method>{method.upper()}</span> <code>{escape(path)}</code></h3>",
        f"<p>{_words(operation.get('description', operation['summary']))}</p>",
    ]
    rows = [
        (
            f"<code>{escape(entry['name'])}</code>",
            entry["in"],
            _type(entry["schema"]),
            _words(entry.get("description", "")),
        )
        for entry in operation["parameters"]
    ]
    parts.append(_table(("parameter", "in", "type", ""), rows))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        body = (
            _type(content["application/json"]["schema"])
            if "application/json" in content
            else escape(", ".join(content))
        )
        parts.append(f"<p>body: {body}</p>")
    answers = []
    for status, answer in operation["responses"].items():
        schema = next((media["schema"] for media in answer.get("content", {}).values()), None)
        answers.append((status, "" if schema is None else _type(schema), _words(answer["description"])))
    parts.append(f"<details><summary>answers</summary>{_table(('status', 'body', ''), answers)}</details>")
    return "\n".join(parts)


def _schema(schema: dict[str, Any]) -> str:
    text = f"<p>{_words(schema.get('description', ''))}</p>"
    if "properties" not in schema:
        return f"{text}<p>{_type(schema)}</p>"
    rows = [
        (f"<code>{escape(name)}</code>", _type(entry), _words(entry.get("description", "")))
        for name, entry in schema["properties"].items()
    ]
    return text + _table(("field", "type", ""), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_type(choice) for choice in schema[word])
    if "enum" in schema:
        return " · ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format", schema.get("type", "any"))))


def _words(text: str) -> str:
    pieces = escape(text, quote=False).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
