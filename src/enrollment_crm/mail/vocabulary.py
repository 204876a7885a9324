"""The MJML and HTML that our emails may use: less than there is, so that every mail client shows the same.

Images, web fonts, forms and scripts are left out on purpose: nothing is fetched when an email is opened.
"""

_BOX = frozenset({"padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "css-class", "mj-class"})
_TYPE = frozenset({"color", "font-family", "font-size", "font-style", "font-weight", "letter-spacing", "line-height"})
_TYPE |= {"text-decoration", "text-transform"}
_BORDER = frozenset({"border", "border-top", "border-right", "border-bottom", "border-left", "border-radius"})
_INNER = frozenset({"inner-padding", "inner-border-radius", "inner-background-color"})

#: MJML element -> the attributes it may have.
MJML_ATTRIBUTES: dict[str, frozenset[str]] = {
    "mjml": frozenset({"lang", "dir"}),
    "mj-head": frozenset(),
    "mj-title": frozenset(),
    "mj-preview": frozenset(),
    "mj-style": frozenset(),
    "mj-breakpoint": frozenset({"width"}),
    "mj-attributes": frozenset(),
    "mj-raw": frozenset(),
    "mj-body": frozenset({"background-color", "width", "css-class"}),
    "mj-wrapper": _BOX | _BORDER | {"background-color", "full-width", "text-align"},
    "mj-section": _BOX | _BORDER | {"background-color", "direction", "full-width", "text-align"},
    "mj-group": frozenset({"width", "vertical-align", "background-color", "direction", "css-class", "mj-class"}),
    "mj-column": _BOX | _BORDER | _INNER | {"background-color", "vertical-align", "width"},
    "mj-text": _BOX | _TYPE | {"align", "container-background-color", "height"},
    "mj-button": _BOX
    | _TYPE
    | _BORDER
    | {"align", "background-color", "container-background-color", "height", "href"}
    | {"inner-padding", "text-align", "title", "vertical-align", "width"},
    "mj-divider": _BOX
    | {"align", "border-color", "border-style", "border-width", "width"}
    | {"container-background-color"},
    "mj-spacer": _BOX | {"container-background-color", "height"},
    "mj-table": _BOX
    | _TYPE
    | {"align", "border", "cellpadding", "cellspacing", "container-background-color", "role"}
    | {"table-layout", "width"},
}
_STYLED = frozenset({"mj-wrapper", "mj-section", "mj-column", "mj-text", "mj-button", "mj-divider", "mj-table"})
MJML_ATTRIBUTES["mj-all"] = frozenset().union(*(MJML_ATTRIBUTES[name] for name in _STYLED))
MJML_ATTRIBUTES["mj-class"] = MJML_ATTRIBUTES["mj-all"] | {"name"}

_IN_COLUMN = frozenset({"mj-text", "mj-button", "mj-divider", "mj-spacer", "mj-table", "mj-raw"})
#: MJML element -> the elements it may hold. The empty name stands for the top of an email's own body.mjml.
MJML_CHILDREN: dict[str, frozenset[str]] = {
    "": frozenset({"mj-preview", "mj-wrapper", "mj-section", "mj-raw"}),
    "mjml": frozenset({"mj-head", "mj-body"}),
    "mj-head": frozenset({"mj-title", "mj-style", "mj-breakpoint", "mj-attributes", "mj-raw"}),
    "mj-attributes": _STYLED | {"mj-all", "mj-class", "mj-body"},
    "mj-body": frozenset({"mj-wrapper", "mj-section", "mj-raw"}),
    "mj-wrapper": frozenset({"mj-section", "mj-raw"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": _IN_COLUMN,
}
#: What these hold is text and HTML; MRML never sees it.
HOLDS_HTML = frozenset({"mj-text", "mj-button", "mj-table", "mj-raw"})
#: What these hold is text alone.
HOLDS_TEXT = frozenset({"mj-title", "mj-preview", "mj-style"})

_EVERYWHERE = frozenset({"align", "class", "dir", "lang", "role", "style", "title"})
_CELL = _EVERYWHERE | {"bgcolor", "colspan", "rowspan", "valign", "width"}
_TABLE = _EVERYWHERE | {"border", "cellpadding", "cellspacing", "width"}
#: HTML element -> the attributes it may have.
HTML_ATTRIBUTES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("p", "div", "span", "strong", "em", "b", "i", "small", "sup", "sub"), _EVERYWHERE),
    **dict.fromkeys(("h1", "h2", "h3", "ul", "ol", "li", "blockquote", "br", "hr"), _EVERYWHERE),
    "a": _EVERYWHERE | {"href"},
    "table": _TABLE,
    **dict.fromkeys(("thead", "tbody", "tr"), _EVERYWHERE),
    "td": _CELL,
    "th": _CELL | {"scope"},
    "meta": frozenset({"name", "content"}),
}
#: HTML elements that hold nothing and end themselves.
VOID_HTML = frozenset({"br", "hr", "meta"})

#: Why some well-known elements are not in the list.
LEFT_OUT = {
    "mj-image": "Emails here have no images: nothing is fetched when they are opened. Say it in words.",
    "img": "Emails here have no images: nothing is fetched when they are opened. Say it in words.",
    "mj-include": "Files are put together by the layout alone: write it here.",
    "mj-font": "Web fonts are fetched when an email is opened: use the fonts of the layout.",
    "mj-social": "Its icons are remote images: use plain links in an mj-text.",
    "script": "No mail client runs scripts: remove it.",
    "style": "Styles belong in the layout's mj-style.",
}
