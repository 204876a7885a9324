# The image of every service that is ours: Airflow, the public site and the migrations. What it installs is what the
# tests ran with: the same Python, and requirements.lock with its hashes.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /build

COPY requirements-uv.lock requirements.lock ./
RUN pip install --require-hashes --requirement requirements-uv.lock \
 && uv venv /opt/venv \
 && uv pip install --python /opt/venv --require-hashes --compile-bytecode --requirement requirements.lock

# The package after what it needs: an edit of ours does not install everything again.
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN uv pip install --python /opt/venv --no-deps --no-build-isolation --compile-bytecode .


FROM python:3.11-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/opt/airflow \
    CRM_HOME_DIRECTORY=/opt/enrollment-crm \
    GX_ANALYTICS_ENABLED=false

# A user without a shell, a home or a password. Named volumes take the owner of the folder that they are mounted on.
RUN groupadd --gid 50000 crm \
 && useradd --uid 50000 --gid crm --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin crm \
 && install --directory --owner crm --group crm /opt/airflow /var/log/airflow /var/lib/enrollment-crm/drop

COPY --from=build /opt/venv /opt/venv
COPY docker/migrate.sh /usr/local/bin/migrate
COPY config /opt/enrollment-crm/config
COPY dags /opt/enrollment-crm/dags
COPY expectations /opt/enrollment-crm/expectations
COPY templates /opt/enrollment-crm/templates

WORKDIR /opt/enrollment-crm
USER 50000:50000
