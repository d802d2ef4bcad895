"""Hooks of mkdocs that add pages to the site. mkdocs.yml names this file.

The reference of the commands is generated from the program, and the tutorial from its notebook.
Pages that live elsewhere in the repository are read where they are.
"""

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

# Pages of the site, without `.md`, and the files of the repository that they show.
PAGES = {
    "index": "README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
    "reference/directions-v1": "formats/directions-v1.md",
    "reference/model-v1": "formats/model-v1.md",
}
COPIES = {
    "reference/directions-v1.schema.json": "formats/directions-v1.schema.json",
    "reference/reader.txt": "formats/reader.py",
}
ELSEWHERE = {f"{page}.md": source for page, source in PAGES.items()} | COPIES
PAGE_OF = {source: page for page, source in ELSEWHERE.items()}
PAGE_OF["docs/tutorial.ipynb"] = "tutorial" + ".md"
OPTION, UNBROKEN = re.compile(r"(?<!`)`-[^`\n]{1,24}`(?!`)"), r"\g<0>{.option}"
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated, or that live elsewhere in the repository."""
    for page, source in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    made = {
        "reference/commands": commands_page(),
        "tutorial": notebook_page(ROOT / "docs" / "tutorial.ipynb"),
    }
    for page, text in made.items():
        files.append(File.generated(config, f"{page}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links out of docs/ to the site's own pages. Show files that have no page as code."""
    here = page.file.src_uri
    source = ELSEWHERE.get(here, f"docs/{here}")

    def resolved(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if re.match(r"[a-z]+:", target):
            return link[0]
        path = _normal(Path(source).parent / target)
        if not (ROOT / path).exists():
            return link[0]  # mkdocs reports a dead link, unless the page is generated
        inside = PAGE_OF.get(path) or (path[5:] if path.startswith("docs/") else None)
        if inside is None or files.get_file_from_path(inside) is None:
            return text if text.startswith("`") else f"{text} (`{path}`)" if text != path else path
        up = "../" * here.count("/")
        return f"[{text}]({up}{inside}{anchor})"

    markdown = re.sub("^```console$", "```sh", markdown, flags=re.MULTILINE)  # the same colors
    return _outside_code(markdown, lambda text: OPTION.sub(UNBROKEN, LINK.sub(resolved, text)))


def _outside_code(markdown: str, change: Any) -> str:
    """Change the text of a page, but not its fenced blocks."""
    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def _normal(path: Path) -> str:
    """Return a path relative to the repository, without `..`."""
    return (ROOT / path).resolve().relative_to(ROOT.resolve()).as_posix()


def commands_page() -> str:
    """Return the reference of the commands: each with its help and its options."""
    from typer.main import get_command

    from sefa_cli.cli import app

    group: Any = get_command(app)
    lines = [
        "# Commands",
        "",
        "This page is generated from the program: `sefa COMMAND --help` says the same.",
        "",
        group.epilog,
        "",
        "## Options of every command",
        "",
        *_table([p for p in group.params if p.param_type_name == "option"]),
    ]
    for name, command in group.commands.items():
        lines += _section(f"sefa {name}", command, "##")
        for sub, below in getattr(command, "commands", {}).items():
            lines += _section(f"sefa {name} {sub}", below, "###")
    return "\n".join(lines) + "\n"


def _section(name: str, command: Any, level: str) -> list[str]:
    """Return the lines of one command: its usage, its help, its arguments and options."""
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    required = [p for p in shown if p.required and p not in arguments]
    words = [name, *map(_usage, arguments), *map(_usage_of_option, required), "[OPTIONS]"]
    if hasattr(command, "commands"):
        words.append("[COMMAND]")
    lines = ["", f"{level} {name}", "", "```text", " ".join(words), "```", ""]
    lines += [_marked((command.help or "").replace("\b\n", "").strip()), ""]
    return lines + _table(arguments + [p for p in shown if p not in arguments])


def _usage(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    return word if argument.required or word.startswith("[") else f"[{word}]"


def _usage_of_option(option: Any) -> str:
    return f"{max(option.opts, key=len)} {_metavar(option)}"


def _metavar(param: Any) -> str:
    """Return the word for an option's value: `N` for an integer, `X` for another number."""
    kinds = {
        "integer": "N",
        "integer range": "N",
        "int range": "N",
        "float": "X",
        "float range": "X",
    }
    return str(param.metavar or kinds.get(param.type.name, param.type.name.upper()))


def _table(params: list[Any]) -> list[str]:
    """Return a table of arguments and options, each with its meaning and default."""
    if not params:
        return []
    rows = [f"| {_names(p)} | {_meaning(p)} |" for p in params]
    return ["| option | meaning |", "|---|---|", *rows]


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.metavar or param.name.upper()}`"
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    return names if param.is_flag else f"{names} `{_metavar(param)}`"


def _meaning(param: Any) -> str:
    text = _marked(" ".join((getattr(param, "help", None) or "").split()))
    default = param.default
    plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    if param.required:
        text += " **Required.**"
    elif plain and default != "" and "Default" not in text:
        text += f" Default: `{default}`."
    return text


def _marked(text: str) -> str:
    """Return help as Markdown: the names of options become code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"(?<![\w-])--?[a-zA-Z][\w-]*", r"`\g<0>`", part)
        for part in parts
    )


def notebook_page(path: Path) -> str:
    """Return a notebook as a page: its text, and its code in fences. Outputs are left out."""
    if not path.exists():
        raise PluginError(f"{path} is not there")
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
    return "\n\n".join(parts) + "\n"
