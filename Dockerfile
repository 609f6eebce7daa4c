# The service as an image: what requirements.lock names, each file checked against its hash, and the five packages.
FROM python:3.11-slim
WORKDIR /opt/contactpoint
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY domain ./domain
COPY ingest ./ingest
COPY projections ./projections
COPY adapters ./adapters
COPY cli ./cli
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
RUN useradd --create-home contactpoint && install -d -o contactpoint -m 700 /var/lib/contactpoint
USER contactpoint
# Away from the checkout, so that the installed packages are the ones imported.
WORKDIR /var/lib/contactpoint
ENV CONTACTPOINT_HOME=/var/lib/contactpoint
ENTRYPOINT ["contactpoint"]
