"""Every email as every sample person would get it, as files that a browser shows side by side."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from enrollment_crm.mail.expressions import html_environment
from enrollment_crm.mail.samples import SamplePerson, read_people
from enrollment_crm.mail.templates import RenderedEmail, TemplateLibrary

_INDEX = Path(__file__).with_name("preview_index.html")


@dataclass(frozen=True)
class Preview:
    """One email as one sample person gets it, and where it was written."""

    person: SamplePerson
    rendered: RenderedEmail
    html_file: Path
    text_file: Path


def render_previews(directory: Path) -> list[tuple[SamplePerson, RenderedEmail]]:
    """Every email for every sample person that can get it.

    Raises:
        TemplateErrors: the templates have problems that can be seen without rendering.
        ContextInvalid: a sample person lacks a value.
    """
    library = TemplateLibrary.load(directory)
    people = read_people(directory)
    return [
        (person, library.render(name, person.context(purpose=library.template(name).manifest.purpose)))
        for name in library.names
        for person in people
        if person.gets(name)
    ]


def write_previews(directory: Path, out: Path, *, on_written: Callable[[Preview], None] = lambda _: None) -> Path:
    """Write all previews below ``out`` and return the page that shows them side by side.

    Raises:
        TemplateErrors, ContextInvalid: see `render_previews`.
    """
    previews = []
    for person, rendered in render_previews(directory):
        previews.append(_write(person, rendered, out / rendered.name))
        on_written(previews[-1])
    index = out / "index.html"
    index.write_text(_index_page(previews, out), encoding="utf-8")
    return index


def _write(person: SamplePerson, rendered: RenderedEmail, folder: Path) -> Preview:
    folder.mkdir(parents=True, exist_ok=True)
    preview = Preview(person, rendered, folder / f"{person.name}.html", folder / f"{person.name}.txt")
    preview.html_file.write_text(rendered.html, encoding="utf-8")
    preview.text_file.write_text(f"Subject: {rendered.subject}\n\n{rendered.text}", encoding="utf-8")
    return preview


def _index_page(previews: list[Preview], out: Path) -> str:
    template = html_environment().from_string(_INDEX.read_text(encoding="utf-8"))
    return template.render(emails=list(_emails(previews, out)))


def _emails(previews: list[Preview], out: Path) -> Iterator[dict[str, object]]:
    for name in dict.fromkeys(preview.rendered.name for preview in previews):
        of_email = [preview for preview in previews if preview.rendered.name == name]
        rendered = of_email[0].rendered
        yield {
            "name": name,
            "version": rendered.template_version,
            "purpose": rendered.purpose,
            "people": [
                {
                    "name": re.sub(r"-+", " ", one.person.name),
                    "about": one.person.about,
                    "subject": one.rendered.subject,
                    "html": one.html_file.relative_to(out).as_posix(),
                    "text": one.text_file.relative_to(out).as_posix(),
                    "kilobytes": round(len(one.rendered.html.encode()) / 1000),
                }
                for one in of_email
            ],
        }
