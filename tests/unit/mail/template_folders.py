"""The smallest template folder that is in order; tests change one file of it and look what is said."""

from collections.abc import Mapping
from pathlib import Path

LAYOUT_MJML = """\
<mjml lang="en">
  <mj-head>
    <mj-title>{{ sender_name }}</mj-title>
    <mj-attributes><mj-all font-family="Arial" /></mj-attributes>
  </mj-head>
  <mj-body background-color="#ffffff">
    {% include "body.mjml" %}
    <mj-section><mj-column>
      {% if unsubscribe_url %}
      <mj-text color="#333333"><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
      {% endif %}
      <mj-text color="#333333">{{ postal_address }}</mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""
LAYOUT_TXT = """\
{% include "body.txt" %}

{{ sender_name }}
{{ unsubscribe_url }}
{{ postal_address }}
"""
BASE_YML = """\
variables:
  sender_name: {type: text, meaning: who writes}
  postal_address: {type: text, meaning: where the office is}
  unsubscribe_url: {type: url, optional: true, meaning: the way out}
claims:
  - {text: 'fee is waived', until: 2026-01-31, why: The fee waiver ends.}
never_say:
  - {text: '(?i)closed', why: Nothing ever is.}
  - {text: '(?i)visa', only_in_subject: true, why: Private.}
"""
SUBJECT = "A note for {{ greeting }}\n"
BODY_MJML = """\
<mj-section>
  <mj-column>
    <mj-text>{{ greeting }}</mj-text>
    {% for date in dates %}
    <mj-text>{{ date.words }}</mj-text>
    {% endfor %}
    <mj-button href="{{ apply_url }}">Apply today</mj-button>
  </mj-column>
</mj-section>
"""
BODY_TXT = """\
{{ greeting }}
{% for date in dates %}
{{ date.words }}
{% endfor %}
{{ apply_url }}
"""
EMAIL_YML = """\
purpose: marketing
topic: notes
owner: Marketing
description: An email for tests.
variables:
  greeting: {type: text, meaning: how it begins}
  apply_url: {type: url, meaning: where one applies}
  dates:
    type: list
    meaning: some dates
    fields:
      words: {type: text, meaning: one date}
"""
PROGRAM_YML = """\
sender_name: Admissions
postal_address: 1 Main Street, Boston
unsubscribe_url: https://crm.example/out
apply_url: https://crm.example/apply
"""
ANA_YML = """\
about: One date alone.
context:
  greeting: Hello Ana,
  dates: [{words: 'Tuesday, December 1'}]
"""
BO_YML = """\
about: Several dates.
context:
  greeting: Hello Bo,
  dates: [{words: 'Tuesday, December 1'}, {words: 'Sunday, August 1'}]
"""
FILES = {
    "_base/layout.mjml": LAYOUT_MJML,
    "_base/layout.txt": LAYOUT_TXT,
    "_base/base.yml": BASE_YML,
    "_people/_program.yml": PROGRAM_YML,
    "_people/ana.yml": ANA_YML,
    "_people/bo.yml": BO_YML,
    "note/subject.txt": SUBJECT,
    "note/body.mjml": BODY_MJML,
    "note/body.txt": BODY_TXT,
    "note/email.yml": EMAIL_YML,
}
CONTEXT = {
    "greeting": "Hello Ana,",
    "apply_url": "https://crm.example/apply",
    "dates": [{"words": "Tuesday, December 1"}],
    "sender_name": "Admissions",
    "postal_address": "1 Main Street, Boston",
    "unsubscribe_url": "https://crm.example/out",
}


def write_folder(directory: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Write the folder with some files changed, or left out where the change is None."""
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return directory
