#!/bin/sh
# Before anything else starts: refuse what must not run in production, then bring both databases to this version.
set -eu

case "${CRM_ENVIRONMENT:-development}:${AIRFLOW__CORE__AUTH_MANAGER:-SimpleAuthManager}" in
production:*SimpleAuthManager)
    echo "Airflow's SimpleAuthManager keeps passwords in a file and is made for development." >&2
    echo "Set AIRFLOW__CORE__AUTH_MANAGER to another one: see docs/how-to/run-in-production.md." >&2
    exit 1
    ;;
esac

enrollment-crm db upgrade
airflow db migrate
