"""Every workflow without Airflow, from the command line."""
