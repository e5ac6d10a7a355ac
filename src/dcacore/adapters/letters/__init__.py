"""Letters to people, from templates."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dcacore.ports.mail import Letter, Letters, Written

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["TemplateLetters"]


class TemplateLetters(Letters):
    """Writes letters from the Jinja templates beside this file: a text, and the page around it.

    On the page a paragraph that is nothing but a link is a button, and lines that begin with a dash are a list.
    """

    def write(self, letter: Letter, words: Mapping[str, str]) -> Written:
        said = _environment().get_template(f"{letter.value}.txt.jinja").render(words)
        subject, _, text = said.partition("\n\n")
        text = text.strip() + "\n"
        paragraphs = text.strip().split("\n\n")
        page = _environment().get_template("letter.html.jinja")
        html = page.render({"link": "", **words, "subject": subject, "paragraphs": paragraphs})
        return Written(subject=" ".join(subject.split()), text=text, html=html)


@functools.cache
def _environment() -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("dcacore.adapters.letters"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
