#!/bin/sh
# Runs once, when the data folder is empty: a database and an owner each for the CRM and for Airflow.
set -eu

create() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
        --set=name="$1" --set=password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

create crm "$POSTGRES_CRM_PASSWORD"
create airflow "$POSTGRES_AIRFLOW_PASSWORD"
