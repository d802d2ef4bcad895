"""What the site shows besides the pages of docs/: hooks of mkdocs, named in mkdocs.yml.

The reference of the commands is generated from the application, the tutorial from its notebook, and
the pages that live elsewhere in the repository are taken from where they are.
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

# Pages of the site, without `.md`, and the files of the repository that they are.
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
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated, or kept elsewhere in the repository."""
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
    """Point links that leave docs/ to the site's own pages; what has no page is named as code."""
    here = page.file.src_uri
    source = ELSEWHERE.get(here, f"docs/{here}")

    def resolved(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if re.match(r"[a-z]+:", target):
            return link[0]
        path = _normal(Path(source).parent / target)
        if not (ROOT / path).exists():
            return link[0]  # mkdocs says that the link is dead, unless the page is generated
        inside = PAGE_OF.get(path) or (path[5:] if path.startswith("docs/") else None)
        if inside is None or files.get_file_from_path(inside) is None:
            return text if text.startswith("`") else f"{text} (`{path}`)" if text != path else path
        up = "../" * here.count("/")
        return f"[{text}]({up}{inside}{anchor})"

    return _outside_code(markdown, lambda text: LINK.sub(resolved, text))


def _outside_code(markdown: str, change: Any) -> str:
    """A page with its text changed, and its fenced blocks as they are."""
    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def _normal(path: Path) -> str:
    """A path relative to the repository, without `..`."""
    return (ROOT / path).resolve().relative_to(ROOT.resolve()).as_posix()


def commands_page() -> str:
    """Return the reference of the commands: every one with its help and its options."""
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
    """One command: its usage, its help, its arguments and options."""
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    words = [name, *(_usage(p) for p in arguments), "[OPTIONS]"]
    if hasattr(command, "commands"):
        words.append("[COMMAND]")
    lines = ["", f"{level} {name}", "", "```text", " ".join(words), "```", ""]
    lines += [(command.help or "").replace("\b\n", "").strip(), ""]
    return lines + _table(arguments + [p for p in shown if p not in arguments])


def _usage(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    return word if argument.required else f"[{word}]"


def _table(params: list[Any]) -> list[str]:
    """The rows of a table: option, meaning, default."""
    if not params:
        return []
    rows = [f"| {_names(p)} | {_meaning(p)} |" for p in params]
    return ["| option | meaning |", "|---|---|", *rows]


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{_cell(param.metavar or param.name.upper())}`"
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    metavar = "" if param.is_flag else param.metavar or param.type.name.upper()
    return names + (f" `{_cell(metavar)}`" if metavar else "")


def _meaning(param: Any) -> str:
    text = _cell(" ".join((getattr(param, "help", None) or "").split()))
    default = param.default
    plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    if param.required:
        text += " **Required.**"
    elif plain and default != "" and "Default" not in text:
        text += f" Default: `{default}`."
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def notebook_page(path: Path) -> str:
    """Return a notebook as a page: its text, and its code in fences. Outputs are left out."""
    if not path.exists():
        raise PluginError(f"{path} is not there")
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
    return "\n\n".join(parts) + "\n"
