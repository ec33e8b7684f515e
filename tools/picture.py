"""Draw a failing run for README and docs: the real program, in a terminal's colors, as SVG.

python tools/picture.py FILE SCENARIO [FLAG ...]
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS = 100
# rich's own frame, without the fonts that it would load from the internet.
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: Arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main(file: str, *arguments: str) -> None:
    """Run the demo and draw its output. Its exit code is 0 if the verdict matches the scenario."""
    command = [sys.executable, "-m", "probe", "demo", *arguments]
    run = subprocess.run(command, env=os.environ | {"FORCE_COLOR": "1"}, capture_output=True, check=True)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(run.stdout.decode().rstrip()))
    title = f"ecr-probe demo {' '.join(arguments)}"
    Path(file).write_text(console.export_svg(title=title, theme=MONOKAI, code_format=FRAME, unique_id="run"))


if __name__ == "__main__":
    main(*sys.argv[1:])
