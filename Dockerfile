# Convoy as an image:
#   docker build -t convoy .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" convoy train job.textproto
# The packages are those of scripts/packages.txt, as everywhere.
FROM debian:12
COPY scripts /convoy/scripts
RUN apt-get update && /convoy/scripts/install-packages
COPY . /convoy
RUN /convoy/scripts/install /usr/local
# Data caches are for one run: whoever it runs as may write there.
ENV XDG_CACHE_HOME=/tmp
WORKDIR /work
ENTRYPOINT ["convoy"]
