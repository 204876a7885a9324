"""PostgreSQL: tables, migrations, and queries named as sentences."""
