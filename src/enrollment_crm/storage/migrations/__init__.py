"""The history of the database's shape, one dated file a change; run by ``enrollment-crm db upgrade``."""
