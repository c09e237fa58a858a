# docker build -t leakaudit .
# docker run --rm -v "$PWD:/work:ro" leakaudit audit models
FROM swift:6.2-bookworm AS build
WORKDIR /source
COPY Scripts/install-dependencies.sh Scripts/
RUN Scripts/install-dependencies.sh && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Sources Sources
# Test targets are part of the package's description, so their folders have to be there.
COPY Tests Tests
RUN swift build -c release --product leakaudit

FROM swift:6.2-bookworm-slim
RUN apt-get update -q \
  && apt-get install -q -y --no-install-recommends \
    libhdf5-103-1 libdnnl2 libopenblas0-pthread libgomp1 libpng16-16 libssl3 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/.build/release/leakaudit /usr/local/bin/leakaudit
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["leakaudit"]
CMD ["--help"]
