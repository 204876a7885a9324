"""What can be told of the templates without rendering them: markup, Jinja, declarations, links."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from enrollment_crm.mail.compile import INCLUDE
from enrollment_crm.mail.contexts import Declarations
from enrollment_crm.mail.expressions import Usage, check_expressions
from enrollment_crm.mail.links import link_is_allowed
from enrollment_crm.mail.manifest import (
    BaseManifest,
    EmailManifest,
    FieldDeclaration,
    ListDeclaration,
    offset_of_key,
    read_manifest,
)
from enrollment_crm.mail.markup import StartTag, scan
from enrollment_crm.mail.markup_lint import lint_markup
from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem
from enrollment_crm.mail.sources import BaseSources, EmailSources, SourceFile, TemplateFolder

_LEADING_VARIABLE = re.compile(r"\{\{-?\s*(?:\w+(?:\[\d+\])?\.)?(?P<name>\w+)\s*-?\}\}")


@dataclass(frozen=True)
class CheckedFolder:
    """A folder whose files are in order, with its manifests."""

    folder: TemplateFolder
    base: BaseManifest
    emails: Mapping[str, EmailManifest]


def check_folder(folder: TemplateFolder) -> CheckedFolder:
    """Check everything that can be checked without rendering.

    Raises:
        TemplateErrors: with all problems of all files.
    """
    base = read_manifest(folder.base.manifest, BaseManifest)
    problems: list[TemplateProblem] = []
    base_usage = Usage()
    problems += _check_base(folder.base, base, base_usage)
    emails = {}
    for sources in folder.emails:
        try:
            emails[sources.name] = read_manifest(sources.manifest, EmailManifest)
        except TemplateErrors as error:
            problems += error.problems
            continue
        problems += _check_email(sources, emails[sources.name], base)
    if problems:
        raise TemplateErrors(problems)
    return CheckedFolder(folder, base, emails)


def _check_base(sources: BaseSources, manifest: BaseManifest, usage: Usage) -> Iterable[TemplateProblem]:
    yield from lint_markup(sources.mjml, whole_document=True)
    yield from _check_links(sources.mjml, manifest.variables)
    for layout in (sources.mjml, sources.text):
        yield from _check_include(layout)
        without_include = SourceFile(layout.path, INCLUDE.sub(_blanked, layout.text))
        yield from check_expressions(without_include, manifest.variables, usage)
    yield from _unused(sources.manifest, manifest.variables, usage)


def _check_include(layout: SourceFile) -> Iterable[TemplateProblem]:
    if len(INCLUDE.findall(layout.text)) != 1:
        name = f"body{layout.path.suffix}"
        remedy = f'Write {{% include "{name}" %}} once, where the email\'s own part goes.'
        yield layout.problem(0, f"The layout must take in {name} exactly once.", remedy)


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _check_email(sources: EmailSources, manifest: EmailManifest, base: BaseManifest) -> Iterable[TemplateProblem]:
    declared = {**base.variables, **manifest.variables}
    for name in base.variables.keys() & manifest.variables.keys():
        offset = offset_of_key(sources.manifest, "variables", name)
        remedy = "Remove it here: what _base/base.yml declares holds for all emails."
        yield sources.manifest.problem(offset, f"“{name}” is declared twice.", remedy)
    usage = Usage()
    yield from lint_markup(sources.mjml, whole_document=False)
    yield from _check_links(sources.mjml, declared)
    for file in (sources.subject, sources.mjml, sources.text):
        yield from check_expressions(file, declared, usage)
    yield from _unused(sources.manifest, manifest.variables, usage)


def _unused(manifest: SourceFile, declared: Declarations, usage: Usage) -> Iterable[TemplateProblem]:
    for name, declaration in declared.items():
        keys: dict[str, tuple[str, ...]] = {name: ("variables", name)}
        if isinstance(declaration, ListDeclaration):
            keys |= {f"{name}.{field}": ("variables", name, "fields", field) for field in declaration.fields}
        for path in keys.keys() - usage.names:
            what = f"The variable “{path}” is declared, but nothing uses it."
            yield manifest.problem(offset_of_key(manifest, *keys[path]), what, "Use it, or remove the declaration.")


def _check_links(file: SourceFile, declared: Declarations) -> Iterable[TemplateProblem]:
    urls = set(_names_of_urls(declared))
    for token in scan(file, []):
        if isinstance(token, StartTag):
            for attribute in token.attributes:
                if attribute.name == "href" and not _href_is_safe(attribute.value, urls):
                    remedy = "Use https://…, mailto:…, or begin with a variable of type url."
                    yield file.problem(attribute.start, "A link leads to a place that is not allowed.", remedy)


def _names_of_urls(declared: Declarations) -> Iterable[str]:
    for name, declaration in declared.items():
        if isinstance(declaration, FieldDeclaration):
            if declaration.type == "url":
                yield name
        else:
            yield from (field for field, one in declaration.fields.items() if one.type == "url")


def _href_is_safe(href: str, urls: set[str]) -> bool:
    variable = _LEADING_VARIABLE.match(href)
    if variable:
        return variable["name"] in urls
    return link_is_allowed(re.sub(r"\{\{.*?\}\}", "x@x", href) if href.startswith("mailto:") else href)
