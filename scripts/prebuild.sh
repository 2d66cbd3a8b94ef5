#!/usr/bin/env bash
# prebuilds/<platform>-<arch>/: the addon, stripped. Prints the newest glibc symbol it needs and fails above the floor.
set -euo pipefail
cd "$(dirname "$0")/.."
# node-gyp wants Node's headers although the build never includes them; point it at the ones that came with node rather
# than let it download.
export npm_config_nodedir="${npm_config_nodedir:-$(node -p "require('path').resolve(process.execPath, '../..')")}"
node_modules/.bin/prebuildify --napi --strip --tag-libc -t "$(node -p process.versions.node)"
floor="${CROSSTHINK_GLIBC_FLOOR:-2.34}"
for file in prebuilds/*/*; do
  newest="$(readelf -W --dyn-syms "$file" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -1)"
  echo "$file needs $newest"
  printf '%s\nGLIBC_%s\n' "$newest" "$floor" | sort -VC || { echo "newer than glibc $floor" >&2; exit 1; }
done
# prebuildify moves the binary out of build/Release: put a development build back.
node scripts/build-native.cjs >/dev/null
