# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, not run.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

say() { printf '== %s\n' "$*"; }

# How many compilers at once: CONVOY_JOBS, or one per core as far as memory allows (1.5 GB each).
compile_jobs() {
  if [[ -n ${CONVOY_JOBS:-} ]]; then
    echo "$CONVOY_JOBS"
    return
  fi
  local cores by_memory
  cores=$(nproc)
  by_memory=$(awk '/^MemAvailable:/ {print int($2 / 1572864)}' /proc/meminfo)
  ((by_memory < 1)) && by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# The comment at the top of the script.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//;t p;b;:p;p}' "scripts/$(basename "$0")"; }
