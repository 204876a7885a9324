"""The library of emails: loaded and checked once, rendered for one person at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from jinja2 import Template

from enrollment_crm.mail.compile import compile_html, compose_text
from enrollment_crm.mail.contexts import Declarations, checked_context
from enrollment_crm.mail.expressions import html_environment, text_environment
from enrollment_crm.mail.headers import check_header_value
from enrollment_crm.mail.manifest import BaseManifest, EmailManifest
from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem
from enrollment_crm.mail.sources import BaseSources, EmailSources, read_folder, version_of
from enrollment_crm.mail.static_checks import CheckedFolder, check_folder

__all__ = ["RenderedEmail", "TemplateErrors", "TemplateLibrary", "TemplateProblem", "UnknownEmail"]

_BLANK_LINES = re.compile(r"\n\s*\n")


class UnknownEmail(LookupError):
    """There is no folder of this name under templates/email. Check the name, or add the email."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """One email to one person, before it is addressed."""

    name: str
    subject: str
    html: str
    text: str
    #: 12 hexadecimal digits over all files that made it: what was sent can be told apart and shown again.
    template_version: str
    #: ``marketing`` needs a way out; ``transactional`` answers something that the person did.
    purpose: str
    #: What an unsubscribe link takes the person off.
    topic: str


@dataclass(frozen=True, slots=True)
class EmailTemplate:
    """One email, compiled."""

    name: str
    manifest: EmailManifest
    declared: Declarations
    version: str
    subject: Template
    html: Template
    text: Template

    def render(self, context: Mapping[str, object]) -> RenderedEmail:
        """Fill the email for one person; see `TemplateLibrary.render`."""
        values = checked_context(self.name, self.declared, context)
        return RenderedEmail(
            name=self.name,
            subject=check_header_value("Subject", " ".join(self.subject.render(values).split())),
            html=self.html.render(values),
            text=_BLANK_LINES.sub("\n\n", self.text.render(values)).strip() + "\n",
            template_version=self.version,
            purpose=self.manifest.purpose,
            topic=self.manifest.topic,
        )


class TemplateLibrary:
    """All emails of one folder, compiled."""

    def __init__(self, templates: Mapping[str, EmailTemplate]) -> None:
        self._templates = dict(templates)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read, check and compile ``templates/email``: some 20 ms an email, once a process.

        Raises:
            TemplateErrors: with every problem that can be seen without rendering.
        """
        return cls.of(check_folder(read_folder(directory)))

    @classmethod
    def of(cls, checked: CheckedFolder) -> Self:
        """The library of a folder that has been read and checked."""
        base = checked.folder.base
        return cls(
            {
                sources.name: _compiled(base, checked.base, sources, checked.emails[sources.name])
                for sources in checked.folder.emails
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all emails, in alphabetical order."""
        return tuple(sorted(self._templates))

    def template(self, name: str) -> EmailTemplate:
        """One email.

        Raises:
            UnknownEmail: there is none of this name.
        """
        try:
            return self._templates[name]
        except KeyError:
            known = ", ".join(self.names)
            raise UnknownEmail(f"There is no email “{name}” under templates/email; there is: {known}.") from None

    def render(self, name: str, context: Mapping[str, object]) -> RenderedEmail:
        """Fill one email for one person.

        The context may hold more than the email declares: only declared values reach the template.

        Raises:
            UnknownEmail: there is none of this name.
            ContextInvalid: a declared value is missing or is not of its type.
        """
        return self.template(name).render(context)


def _compiled(
    base: BaseSources, base_manifest: BaseManifest, email: EmailSources, manifest: EmailManifest
) -> EmailTemplate:
    text = text_environment()
    return EmailTemplate(
        name=email.name,
        manifest=manifest,
        declared={**base_manifest.variables, **manifest.variables},
        version=version_of(base, email),
        subject=text.from_string(email.subject.text),
        html=html_environment().from_string(compile_html(base, email)),
        text=text.from_string(compose_text(base, email)),
    )
