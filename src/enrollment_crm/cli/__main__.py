"""``python -m enrollment_crm.cli``."""

from enrollment_crm.cli import main

main()
