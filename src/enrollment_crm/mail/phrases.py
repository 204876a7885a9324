"""Words that must not stand in an email: never, or no longer, or not without an end."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from enrollment_crm.mail.manifest import BaseManifest, Claim, EmailManifest, Phrase, offset_of_key
from enrollment_crm.mail.markup import JINJA
from enrollment_crm.mail.problems import TemplateProblem
from enrollment_crm.mail.rendered_checks import DATE
from enrollment_crm.mail.sources import BaseSources, EmailSources, SourceFile

_NOT_WORDS = re.compile(rf"{JINJA}|<!--.*?-->|<[^>]*>", re.DOTALL)


def check_base_phrases(sources: BaseSources, base: BaseManifest, as_of: date) -> Iterator[TemplateProblem]:
    """Words of the layouts that must not stand there."""
    for file in (sources.mjml, sources.text):
        yield from _check_claims(file, base.claims, as_of)
        yield from _check_never(file, (phrase for phrase in base.never_say if not phrase.only_in_subject))


def check_phrases(
    sources: EmailSources, manifest: EmailManifest, base: BaseManifest, as_of: date
) -> Iterator[TemplateProblem]:
    """Words of one email that must not stand there on the given day."""
    claims = (*base.claims, *manifest.claims)
    for file in (sources.subject, sources.mjml, sources.text):
        yield from _check_claims(file, claims, as_of)
        in_subject = file is sources.subject
        yield from _check_never(file, (one for one in base.never_say if in_subject or not one.only_in_subject))
        yield from _check_written_dates(file, claims)
    yield from _check_claims_are_made(sources, manifest)


def _check_claims(file: SourceFile, claims: Iterable[Claim], as_of: date) -> Iterator[TemplateProblem]:
    for claim in claims:
        if as_of > claim.until:
            for match in _found(claim.text, file):
                what = f"“{match[0]}” held until {claim.until:%-d %B %Y}: {claim.why.rstrip('.')}."
                yield file.problem(match.start(), what, "Remove it, or confirm the fact and move `until`.")


def _check_never(file: SourceFile, phrases: Iterable[Phrase]) -> Iterator[TemplateProblem]:
    for phrase in phrases:
        for match in _found(phrase.text, file):
            what = f"“{match[0]}” must not be said here: {phrase.why.rstrip('.')}."
            yield file.problem(match.start(), what, "Say it in other words.")


def _check_written_dates(file: SourceFile, claims: Iterable[Claim]) -> Iterator[TemplateProblem]:
    """A date in the text itself is wrong a year later; one from the database is not."""
    claimed = [match.span() for claim in claims for match in _found(claim.text, file)]
    for match in DATE.finditer(_words_of(file)):
        if not any(start <= match.start() and match.end() <= end for start, end in claimed):
            what = f"The date “{match[0]}” is written into the text."
            yield file.problem(match.start(), what, "Print a variable, or add a claim with `until` to email.yml.")


def _check_claims_are_made(sources: EmailSources, manifest: EmailManifest) -> Iterator[TemplateProblem]:
    for index, claim in enumerate(manifest.claims):
        if not any(True for file in (sources.subject, sources.mjml, sources.text) for _ in _found(claim.text, file)):
            offset = offset_of_key(sources.manifest, "claims", index)
            yield sources.manifest.problem(offset, "No text of this email makes this claim.", "Remove or correct it.")


def _found(pattern: str, file: SourceFile) -> Iterator[re.Match[str]]:
    # Text is wrapped and marked up: a space in a pattern stands for any space between the words.
    return re.compile(pattern.replace(" ", r"\s+")).finditer(_words_of(file))


def _words_of(file: SourceFile) -> str:
    """The text of a file with everything blanked out that is no words; each word keeps its place."""
    return _NOT_WORDS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), file.text)
