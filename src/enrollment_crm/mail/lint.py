"""The whole lint of ``templates/email``: what marketing, CI and the studio ask before anything may be sent."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from enrollment_crm.mail.contexts import ContextInvalid
from enrollment_crm.mail.phrases import check_base_phrases, check_phrases
from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem
from enrollment_crm.mail.rendered_checks import Finding, check_rendered
from enrollment_crm.mail.samples import SamplePerson, missing_situations, read_people
from enrollment_crm.mail.sources import BaseSources, EmailSources, SourceFile, read_folder
from enrollment_crm.mail.static_checks import CheckedFolder, check_folder
from enrollment_crm.mail.templates import EmailTemplate, TemplateLibrary


def lint_templates(directory: Path, *, as_of: date) -> tuple[TemplateProblem, ...]:
    """Every problem of the templates, in order of file and line; none means that they may be sent.

    First what can be seen in the files; when that is in order, every email for every sample person.
    """
    try:
        checked = check_folder(read_folder(directory))
    except TemplateErrors as error:
        return error.problems
    try:
        problems = set(_check_words(checked, as_of))
        problems |= set(_check_people(checked, directory))
    except TemplateErrors as error:
        return error.problems
    return tuple(sorted(problems))


def _check_words(checked: CheckedFolder, as_of: date) -> Iterator[TemplateProblem]:
    yield from check_base_phrases(checked.folder.base, checked.base, as_of)
    for sources in checked.folder.emails:
        yield from check_phrases(sources, checked.emails[sources.name], checked.base, as_of)


def _check_people(checked: CheckedFolder, directory: Path) -> Iterator[TemplateProblem]:
    library = TemplateLibrary.of(checked)
    people = read_people(directory)
    known = set(library.names)
    for person in people:
        for name in set(person.emails) - known:
            yield person.file.problem(0, f"There is no email “{name}”.", "Correct the list `emails`.")
    for sources in checked.folder.emails:
        template = library.template(sources.name)
        yield from _check_situations(sources, template, people)
        audience = [person for person in people if person.gets(sources.name)]
        yield from _check_audience(checked.folder.base, sources, template, audience)


def _check_situations(
    sources: EmailSources, template: EmailTemplate, people: tuple[SamplePerson, ...]
) -> Iterator[TemplateProblem]:
    contexts = [one.context(purpose=template.manifest.purpose) for one in people if one.gets(sources.name)]
    for situation in missing_situations(template.declared, contexts):
        what = f"No sample person is in the situation “{situation}”."
        yield sources.manifest.problem(0, what, "Add one to _people/: what nobody looks at is not checked.")


def _check_audience(
    base: BaseSources, sources: EmailSources, template: EmailTemplate, audience: list[SamplePerson]
) -> Iterator[TemplateProblem]:
    """What is wrong with one email for its sample people; each problem is told once, with the people it concerns."""
    concerned: dict[Finding, list[str]] = {}
    for person in audience:
        context = person.context(purpose=template.manifest.purpose)
        try:
            rendered = template.render(context)
        except ContextInvalid as error:
            for fault in error.faults:
                yield person.file.problem(0, f"For the email “{sources.name}”, {fault}.", "Mend it in this file.")
            continue
        for finding in check_rendered(rendered, context):
            concerned.setdefault(finding, []).append(person.name)
    for finding, names in concerned.items():
        file, offset = _place_of(finding, sources, base)
        yield file.problem(offset, f"{finding.what} (For {_listed(names, len(audience))}.)", finding.remedy)


def _place_of(finding: Finding, sources: EmailSources, base: BaseSources) -> tuple[SourceFile, int]:
    """Where the words that a finding is about stand: in the email, else in the layout, else at the top."""
    if finding.about_subject:
        return sources.subject, 0
    for file in (sources.mjml, base.mjml):
        if finding.near and finding.near in file.text:
            return file, file.text.index(finding.near)
    return sources.mjml, 0


def _listed(names: list[str], all_of_them: int) -> str:
    if len(names) == all_of_them:
        return "everyone"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
