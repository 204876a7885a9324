"""The Jinja that a template may use, and what its names mean: an allow-list over the syntax tree.

What is not listed is refused: no macro, import, include, call, ``range``, ``|attr``, arithmetic or assignment. So a
template can neither loop for ever nor reach anything but the declared variables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from enrollment_crm.mail.manifest import FieldDeclaration, ListDeclaration
from enrollment_crm.mail.problems import TemplateProblem
from enrollment_crm.mail.sources import SourceFile

ALLOWED_FILTERS = frozenset({"capitalize", "length", "lower", "title", "trim", "upper", "urlencode"})
ALLOWED_LOOP_FIELDS = frozenset({"first", "index", "last", "length"})
_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Const, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter,
)  # fmt: skip
_REMEDY = "Use {{ }}, {% if %} and {% for %} with declared variables; docs/how-to/edit-an-email.md shows how."

_Scope = Mapping[str, FieldDeclaration | ListDeclaration]


@dataclass(frozen=True)
class _Record:
    """One row of a declared list."""

    list_name: str
    declaration: ListDeclaration


#: What an expression can mean: a value, a list, one record of it, or something that Jinja works out.
_Meaning = FieldDeclaration | ListDeclaration | _Record | None


def html_environment() -> ImmutableSandboxedEnvironment:
    """Jinja for HTML: every value is escaped."""
    return _environment(autoescape=True)


def text_environment() -> ImmutableSandboxedEnvironment:
    """Jinja for plain text and subjects: nothing is escaped."""
    return _environment(autoescape=False)


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=autoescape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in ALLOWED_FILTERS}
    environment.tests.clear()
    return environment


_PARSER = text_environment()


@dataclass
class Usage:
    """Which declared variables, and which fields of lists (``deadlines.name``), some files use."""

    names: set[str] = field(default_factory=set)


def check_expressions(file: SourceFile, declared: _Scope, usage: Usage) -> list[TemplateProblem]:
    """All that is wrong with the Jinja of one file; what it uses is added to ``usage``."""
    try:
        tree = _PARSER.parse(file.text)
    except TemplateSyntaxError as error:
        what = f"Jinja cannot read this: {(error.message or 'syntax error').rstrip('.')}."
        return [file.problem(file.offset_of_line(error.lineno), what, "Check that {{ }} and {% %} are balanced.")]
    checker = _Checker(file, declared, usage)
    checker.visit(tree, {})
    return checker.problems


@dataclass
class _Checker:
    file: SourceFile
    declared: _Scope
    usage: Usage
    problems: list[TemplateProblem] = field(default_factory=list)

    def visit(self, node: nodes.Node, records: Mapping[str, _Record]) -> None:
        """Check a node and everything below it; ``records`` are the names that loops around it give."""
        if not isinstance(node, _ALLOWED_NODES):
            self._say(node, f"Jinja's “{type(node).__name__.lower()}” is not allowed.", _REMEDY)
        elif isinstance(node, nodes.For):
            self._visit_loop(node, records)
        elif isinstance(node, nodes.Output):
            self._visit_output(node, records)
        elif isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            self._meaning_of(node, records)
        else:
            self._check_filter(node)
            self._check_choice(node, records)
            for child in node.iter_child_nodes():
                self.visit(child, records)

    def _visit_loop(self, loop: nodes.For, records: Mapping[str, _Record]) -> None:
        meaning = self._meaning_of(loop.iter, records)
        one, many = loop.target, loop.iter
        if not (isinstance(meaning, ListDeclaration) and isinstance(many, nodes.Name) and isinstance(one, nodes.Name)):
            self._say(loop, "A loop goes through something that is no declared list.", "Write {% for one in a_list %}.")
            return
        if loop.recursive:
            self._say(loop, "A loop is recursive.", _REMEDY)
        inner = {**records, one.name: _Record(many.name, meaning)}
        for child in [*loop.body, *([loop.test] if loop.test else [])]:
            self.visit(child, inner)
        for child in loop.else_:
            self.visit(child, records)

    def _visit_output(self, output: nodes.Output, records: Mapping[str, _Record]) -> None:
        for child in output.nodes:
            if isinstance(child, nodes.Name | nodes.Getattr | nodes.Getitem):
                meaning = self._meaning_of(child, records)
                if isinstance(meaning, ListDeclaration | _Record):
                    self._say(child, "A whole list or record is printed.", "Print one of its fields instead.")
            else:
                self.visit(child, records)

    def _meaning_of(self, node: nodes.Node, records: Mapping[str, _Record]) -> _Meaning:
        if isinstance(node, nodes.Name):
            return self._meaning_of_name(node, records)
        if isinstance(node, nodes.Getattr):
            return self._meaning_of_field(node, records)
        if isinstance(node, nodes.Getitem):
            return self._meaning_of_item(node, records)
        self.visit(node, records)
        return None

    def _meaning_of_name(self, node: nodes.Name, records: Mapping[str, _Record]) -> _Meaning:
        if node.name in records:
            return records[node.name]
        if node.name in self.declared:
            self.usage.names.add(node.name)
            return self.declared[node.name]
        remedy = "Check the spelling, or declare it under `variables` in email.yml."
        self._say(node, f"The variable “{node.name}” is not declared.", remedy, word=node.name)
        return None

    def _meaning_of_field(self, node: nodes.Getattr, records: Mapping[str, _Record]) -> _Meaning:
        if isinstance(node.node, nodes.Name) and node.node.name == "loop" and records:
            if node.attr not in ALLOWED_LOOP_FIELDS:
                known = ", ".join(sorted(ALLOWED_LOOP_FIELDS))
                self._say(node, f"loop.{node.attr} is not allowed.", f"A loop knows: {known}.", word=node.attr)
            return None
        record = self._meaning_of(node.node, records)
        if isinstance(record, _Record) and node.attr in record.declaration.fields:
            self.usage.names.add(f"{record.list_name}.{node.attr}")
            return record.declaration.fields[node.attr]
        if isinstance(record, _Record):
            known = ", ".join(sorted(record.declaration.fields))
            what = f"A record of “{record.list_name}” has no field “{node.attr}”."
            self._say(node, what, f"It has: {known}. Or declare it in email.yml.", word=node.attr)
        elif record is not None:
            self._say(node, f"“.{node.attr}” stands behind something that is no record.", _REMEDY, word=node.attr)
        return None

    def _meaning_of_item(self, node: nodes.Getitem, records: Mapping[str, _Record]) -> _Meaning:
        meaning = self._meaning_of(node.node, records)
        index = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if isinstance(meaning, ListDeclaration) and isinstance(node.node, nodes.Name) and type(index) is int:
            return _Record(node.node.name, meaning)
        self._say(node, "Brackets stand behind something that is no list, or hold no number.", "Write a_list[0].field.")
        return None

    def _check_filter(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Filter) and (node.name not in ALLOWED_FILTERS or node.args or node.kwargs):
            remedy = f"There is, without arguments: {', '.join(sorted(ALLOWED_FILTERS))}."
            self._say(node, f"The filter “{node.name}” cannot be used so.", remedy, word=node.name)

    def _check_choice(self, node: nodes.Node, records: Mapping[str, _Record]) -> None:
        """A comparison with a value that a choice never has is always false: a text that nobody would ever see."""
        if not isinstance(node, nodes.Compare):
            return
        silent = _Checker(self.file, self.declared, Usage())
        meaning = silent._meaning_of(node.expr, records)
        if not isinstance(meaning, FieldDeclaration) or meaning.type != "choice":
            return
        for constant in node.find_all(nodes.Const):
            if constant.value not in meaning.values:
                what, word = f"{constant.value!r} is never the value.", str(constant.value)
                self._say(constant, what, f"There is: {', '.join(meaning.values)}.", word=word)

    def _say(self, node: nodes.Node, what: str, remedy: str, *, word: str = "") -> None:
        start = self.file.offset_of_line(node.lineno)
        end = self.file.text.find("\n", start)
        line = self.file.text[start : end if end >= 0 else None]
        # Jinja knows lines alone: the first place of the word in the line is the column.
        match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line) if word else re.search(r"\{[%{]", line)
        self.problems.append(self.file.problem(start + (match.start() if match else 0), what, remedy))
