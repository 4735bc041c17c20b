#!/bin/sh
# Have a browser where that can be done without a question: Debian's Chromium, as root. Elsewhere say what is missing.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium >/dev/null
fi
command -v chromium >/dev/null || echo "There is no Chromium or Chrome here: the tests of the dashboard in a browser are SKIPPED." >&2
