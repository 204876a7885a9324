"""What an email says of itself in ``email.yml``: its purpose, its variables and the claims that end."""

import re
from datetime import date
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from enrollment_crm.mail.problems import TemplateErrors
from enrollment_crm.mail.sources import SourceFile

Model = TypeVar("Model", bound=BaseModel)
ScalarType = Literal["text", "url", "integer", "flag", "date", "choice"]


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


def _check_field_name(name: str) -> str:
    # A record reaches Jinja as a dict, whose own attributes would be found first.
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or hasattr(dict, name):
        raise ValueError(f"{name!r} cannot be a name: use lower-case words joined by underscores")
    return name


Name = Annotated[str, AfterValidator(_check_field_name)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
Words = Annotated[str, Field(min_length=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldDeclaration(_Strict):
    """One value that a template may print or ask about."""

    type: ScalarType
    meaning: Words
    #: Of a choice: all the values there are.
    values: tuple[str, ...] = ()
    #: Whether it may be empty; templates then have to ask before they print it.
    optional: bool = False

    @model_validator(mode="after")
    def _choice_has_values(self) -> "FieldDeclaration":
        if (self.type == "choice") != bool(self.values):
            raise ValueError("list `values` for a choice, and for nothing else")
        return self


class ListDeclaration(_Strict):
    """A list of records that a template may go through with ``{% for %}``."""

    type: Literal["list"]
    meaning: Words
    fields: dict[Name, FieldDeclaration] = Field(min_length=1)
    #: Whether it may be empty.
    optional: bool = False


Declaration = Annotated[FieldDeclaration | ListDeclaration, Field(discriminator="type")]


class Claim(_Strict):
    """Words that are true only for a time: after `until` no email may hold them."""

    text: Pattern
    until: date
    why: Words


class Phrase(_Strict):
    """Words that no email may ever hold."""

    text: Pattern
    why: Words
    only_in_subject: bool = False


class EmailManifest(_Strict):
    """``email.yml`` of one email."""

    purpose: Literal["marketing", "transactional"]
    topic: Annotated[str, Field(pattern="^[a-z0-9-]+$")]
    owner: Words
    description: Words
    variables: dict[Name, Declaration] = {}
    claims: tuple[Claim, ...] = ()


class BaseManifest(_Strict):
    """``_base/base.yml``: what holds for all emails."""

    variables: dict[Name, Declaration]
    claims: tuple[Claim, ...] = ()
    never_say: tuple[Phrase, ...] = ()


def read_manifest(file: SourceFile, model: type[Model]) -> Model:
    """Understand one YAML file.

    Raises:
        TemplateErrors: it is not YAML, or not what the model asks for.
    """
    data, root = parse_yaml(file)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        remedy = "See docs/how-to/edit-an-email.md for what belongs here."
        raise TemplateErrors(
            file.problem(_offset_of(root, one["loc"]), f"{_path_of(one['loc'])}: {one['msg']}.", remedy)
            for one in error.errors()
        ) from error


def parse_yaml(file: SourceFile) -> tuple[object, yaml.Node | None]:
    """The data of a YAML file, and the tree that knows where each value stands.

    Raises:
        TemplateErrors: it is not YAML.
    """
    try:
        return yaml.safe_load(file.text), yaml.compose(file.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        offset = error.problem_mark.index if error.problem_mark else 0
        remedy = "Check the indentation, and quote values that hold a colon."
        raise TemplateErrors([file.problem(offset, f"Not YAML: {error.problem}.", remedy)]) from error


def offset_of_key(file: SourceFile, *path: str | int) -> int:
    """Where the value at this path stands in a YAML file; the nearest parent when it is missing."""
    return _offset_of(parse_yaml(file)[1], path)


def _path_of(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _offset_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    if node is None:
        return 0
    for part in location:
        child = _child_of(node, part)
        if child is None:
            break
        node = child
    return int(node.start_mark.index)


def _child_of(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        child: yaml.Node = node.value[part]
        return child
    return None
