"""Literals: values that stand in a statement itself and are not passed beside it."""

from enum import StrEnum

from sqlalchemy import BindParameter, Text, bindparam


def spelled_out(value: StrEnum) -> BindParameter[str]:
    """A constant, written into the statement where it runs.

    An index made for some rows only ("outcome = 'pending'") is of use where the planner sees that these are asked for.
    With a parameter in that place, a plan that PostgreSQL keeps for all values reads the whole table.
    """
    return bindparam(None, value.value, Text(), literal_execute=True)
