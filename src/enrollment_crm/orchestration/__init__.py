"""The only package that knows Airflow: the inbox trigger, the plugin and the warm-up."""
