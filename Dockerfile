# syntax=docker/dockerfile:1

# Front-end libraries, from the lock file.
FROM node:24-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
# The stylesheet is cut down to what the pages name.
COPY . .
RUN mkdir -p static && npm run build

# Python packages, in a folder that the last stage copies whole.
FROM python:3.11-slim AS packages
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MODE=production \
    PROMETHEUS_MULTIPROC_DIR=/tmp/prometheus \
    MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin clinic
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
COPY --from=assets /app/static/vendor static/vendor
# Collecting needs settings but no servers and no secrets of anybody: these values live for this one command.
RUN MODE=production BASE_URL=https://build.invalid EMAIL_HOST=build.invalid EMAIL_FROM=build@build.invalid \
    SECRET_KEY=only-for-collecting-static-files-0123456789-0123456789-0123456789 \
    RELEASE_KEY=only-for-collecting-static-files-0123456789 \
    DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
    python -m myositis_tracker.languages compile && python manage.py collectstatic --noinput && \
    mkdir -p /srv/media && chown clinic /srv/media
USER clinic
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["sh", "-c", "mkdir -p $PROMETHEUS_MULTIPROC_DIR && exec gunicorn --bind 0.0.0.0:8000 --workers ${WEB_CONCURRENCY:-3} --threads ${WEB_THREADS:-4} myositis_tracker.wsgi"]
