# syntax=docker/dockerfile:1
# A container that scores: docs/batch.md says how it is run.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/leadlift \
 && /opt/leadlift/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/leadlift/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
# LightGBM's library is linked to OpenMP.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/leadlift /opt/leadlift
# Numba keeps what it has compiled here; a volume saves the seconds of the first job of each container.
RUN useradd --uid 10001 --no-create-home leadlift \
 && install --directory --owner leadlift /var/cache/leadlift /work
ENV PATH=/opt/leadlift/bin:$PATH \
    NUMBA_CACHE_DIR=/var/cache/leadlift \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /work
ENTRYPOINT ["leadlift"]
