#!/usr/bin/env bash
# bootstrap.sh ARGUMENT... runs `sauce-appdist ARGUMENT...` from this checkout.
#
# The first run of a job finds a Python and installs requirements.lock below the job's temp directory. Later runs
# read where that is and become Python at once, without starting another process.
# It has to work with bash 3.2 (macOS), in git-bash (Windows) and without GNU tools.
# Exit codes are those of errors.py: 2 for what the user can fix, 5 if the package index fails.
set -euo pipefail

case ${BASH_SOURCE[0]} in
  */*) core=${BASH_SOURCE[0]%/*} ;;
  *) core=$PWD ;;
esac
temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}

case $OSTYPE in
  msys* | cygwin*)
    # A native Python understands D:/a/b, but not /d/a/b.
    case $core in [A-Za-z]:*) ;; *) core=$(cygpath -am "$core") ;; esac
    case $temp in [A-Za-z]:*) ;; *) temp=$(cygpath -am "$temp") ;; esac
    core=${core//\\//} temp=${temp//\\//}
    # Git-bash would pass a folder "/Release" on as "C:/Program Files/Git/Release".
    export MSYS2_ARG_CONV_EXCL='*'
    export MSYS2_ENV_CONV_EXCL="${MSYS2_ENV_CONV_EXCL:+$MSYS2_ENV_CONV_EXCL;}APPDIST_;GITHUB_"
    ;;
  *)
    case $core in /*) ;; *) core=$PWD/$core ;; esac
    case $temp in /*) ;; *) temp=$PWD/$temp ;; esac
    ;;
esac

digest= # the first line of the lock: # sauce-appdist lock DIGEST
read -r _ _ _ digest _ <"$core/requirements.lock" || true
digest=${digest%$'\r'}

# $home holds one directory for each finished install, and the file `ready`, which names one of them and
# is only ever replaced as a whole: no run sees half an install, or loses the one it uses. A file turn-N
# says who installs (await_turn).
if [ -n "${RUNNER_TEMP:-}" ]; then
  home=$temp/sauce-appdist-$digest
else
  home=$temp/sauce-appdist-$UID-$digest
fi

# What a user can do about the directory. On GitHub the runner sets RUNNER_TEMP, below its own work folder.
if [ "${GITHUB_ACTIONS:-}" = true ]; then
  elsewhere='give the runner another work folder (config.sh --work): one'
else
  elsewhere='set TMPDIR to a directory'
fi

fail() { # exit code, title, text
  local text=$3
  printf 'sauce-appdist: %s\n' "$text" >&2
  if [ "${GITHUB_ACTIONS:-}" = true ]; then
    text=${text//'%'/%25} text=${text//$'\r'/%0D} text=${text//$'\n'/%0A}
    printf '::error title=%s::%s\n' "$2" "$text"
  fi
  exit "$1"
}

refuse_what_others_can_write() {
  # Whoever can write to $home decides what runs here. RUNNER_TEMP is the runner's to protect; on Windows
  # the temp is each user's own, and modes mean nothing.
  local mode
  case ${RUNNER_TEMP:-}:$OSTYPE in ?*:* | :msys* | :cygwin*) return ;; esac
  if [ -e "$home" ] || [ -L "$home" ]; then
    mode=$(ls -ld "$home") # of a link: l...
    if [ ! -O "$home" ] || [ "${mode:0:10}" != drwx------ ]; then
      fail 2 'Unsafe temporary directory' "$home (${mode:0:10}) is not a private directory of this user, \
so nothing in it is run. Remove it, or $elsewhere that no other user can write to."
    fi
  fi
}

is_ready() { # sets $python and $deps
  local name request
  refuse_what_others_can_write
  [ -r "$home/ready" ] || return 1
  { IFS= read -r python && IFS= read -r name && IFS= read -r request; } <"$home/ready" || return 1
  case ${APPDIST_PYTHON:-} in '' | "$request" | "$python") ;; *) return 1 ;; esac
  deps=$home/$name
  [ -x "$python" ] && [ -d "$deps" ]
}

run() {
  # -I -S: nothing in the workspace, in PYTHON* variables or in site-packages gets into this process.
  exec "$python" -I -S -X utf8 -c 'import sys
core, deps = sys.argv[1:3]
if not deps.endswith("/" + sys.implementation.cache_tag):
    import os
    os.unlink(os.path.dirname(os.path.dirname(deps)) + "/ready")
    print("sauce-appdist:", sys.executable, "is no longer the version that the dependencies were "
          "installed for. Run the step again: it will reinstall them.", file=sys.stderr)
    sys.exit(2)
sys.argv[:3] = ["sauce-appdist"]
sys.path += core, deps
from sauce_appdist.cli import entrypoint
entrypoint()' "$core" "$deps" ${1+"$@"}
}

if is_ready; then run ${1+"$@"}; fi

# ---- The first run of a job; bash has not read this part in the others. ----

oldest=11 newest=15 # minor versions of Python 3 that requirements.lock has wheels for (tools/lock.py reads this)

case $digest in
  '' | *[!0-9a-z]*)
    fail 2 'Damaged checkout' "$core/requirements.lock does not start with '# sauce-appdist lock DIGEST'."
    ;;
esac

found=  # the Pythons that do not suit, one per line
python= # the path that pip and uv start
real=   # without links and shims: this path keeps meaning this version
tag=    # cpython-312

suits() { # path of a Python
  local facts major minor kind
  # Windows has stubs and pyenv has shims for Pythons that are not installed: only an answer counts.
  facts=$("$1" -I -S -X utf8 -c 'import os, sys
kind = sys.implementation.name
if "free-threading" in sys.version and sys.version_info < (3, 14):
    kind = "free-threaded"
print(*sys.version_info[:2], kind, sys.implementation.cache_tag, sep="\n")
print(sys.executable, os.path.realpath(sys.executable), sep="\n")' </dev/null 2>/dev/null) || facts=
  facts=${facts//$'\r'/}
  {
    IFS= read -r major && IFS= read -r minor && IFS= read -r kind && IFS= read -r tag &&
      IFS= read -r python && IFS= read -r real
  } <<<"$facts" || {
    found=$found$'\n'"  $1: does not start"
    return 1
  }
  if [ "$kind" != cpython ]; then
    found=$found$'\n'"  $1: $major.$minor ($kind)"
    return 1
  fi
  if [ "$major" != 3 ] || [ "$minor" -lt $oldest ] || [ "$minor" -gt $newest ]; then
    found=$found$'\n'"  $1: $major.$minor"
    return 1
  fi
  case $OSTYPE in msys* | cygwin*) python=${python//\\//} real=${real//\\//} ;; esac
}

find_python() {
  local name names path cache minor seen=$'\n'
  if [ -n "${APPDIST_PYTHON:-}" ]; then
    if path=$(type -P "$APPDIST_PYTHON"); then
      if suits "$path"; then return; fi
    else
      found=$'\n'"  $APPDIST_PYTHON: not found"
    fi
    fail 2 'Unsuitable APPDIST_PYTHON' \
      "APPDIST_PYTHON must name a CPython of version 3.$oldest to 3.$newest. It names:$found"
  fi
  # First what the user chose: setup-python and an activated venv put their python3 and python in front.
  names='python3 python'
  for ((minor = newest; minor >= oldest; minor--)); do names="$names python3.$minor"; done
  for name in $names; do
    while IFS= read -r path; do
      # A relative entry of PATH would point into the workspace. No path is tried twice.
      case $path in /* | [A-Za-z]:*) ;; *) continue ;; esac
      case $seen in *$'\n'"$path"$'\n'*) continue ;; esac
      seen=$seen$path$'\n'
      if suits "$path"; then return; fi
    done < <(type -aP "$name")
  done
  for cache in "${RUNNER_TOOL_CACHE:-}" "${AGENT_TOOLSDIRECTORY:-}"; do
    case $OSTYPE in msys* | cygwin*) cache=${cache//\\//} ;; esac
    for ((minor = newest; minor >= oldest; minor--)); do
      for path in "$cache/Python/3.$minor."*/*/bin/python3 "$cache/Python/3.$minor."*/*/python.exe; do
        if [ -n "$cache" ] && [ -x "$path" ] && suits "$path"; then return; fi
      done
    done
  done
  [ -n "$found" ] || found=$'\n  none at all'
  fail 2 'No suitable Python' "This step needs CPython 3.$oldest to 3.$newest on PATH or in the runner's tool cache. \
Found:$found
Add these lines before this step:
      - uses: actions/setup-python@v6
        with: { python-version: '3.13' }"
}

keep_only_index_settings() {
  # Keep what tells pip and uv where to fetch from. The rest (PIP_USER, PIP_PREFIX, PIP_CONSTRAINT,
  # UV_EXCLUDE_NEWER...) could only break an install whose every file is pinned. Our secrets, and the
  # runner's variables that can request ID tokens, are not for them.
  local name
  for name in ${!APPDIST_*} ${!ACTIONS_*} ${!PIP_*} ${!UV_*}; do
    case $name in
      PIP_*INDEX* | PIP_FIND_LINKS | PIP_TRUSTED_HOST | PIP_*CERT* | PIP_*PROXY* | PIP_*TIMEOUT) ;;
      PIP_*RETRIES | PIP_*CACHE* | PIP_CONFIG_FILE | PIP_KEYRING* | PIP_USE_*) ;;
      UV_*INDEX* | UV_FIND_LINKS | UV_*HOST | UV_*CERT* | UV_*TLS | UV_*PROXY* | UV_*TIMEOUT) ;;
      UV_*RETRIES | UV_*CACHE* | UV_*CONFIG* | UV_KEYRING* | UV_*CREDENTIALS* | UV_OFFLINE) ;;
      UV_CONCURRENT_* | UV_LINK_MODE) ;;
      *) unset "$name" ;;
    esac
  done
  # These may be set in a configuration file, too.
  export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DRY_RUN=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
  # uv does not read pip's variables, but a mirror that is set for pip is meant for every installer.
  if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] && [ -n "${PIP_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX=$PIP_INDEX_URL
  fi
  if [ -z "${UV_INDEX:-}${UV_EXTRA_INDEX_URL:-}" ] && [ -n "${PIP_EXTRA_INDEX_URL:-}" ]; then
    export UV_EXTRA_INDEX_URL=$PIP_EXTRA_INDEX_URL
  fi
}

fail_if_full() { # the directory that was written to
  # The log says so, unless there was no room for the log itself.
  local room=0
  { printf '%65536s' '' >"$1/room"; } 2>/dev/null || room=$?
  rm -f "$1/room"
  case $room:$(cat "$1/log" 2>/dev/null) in
    [!0]* | *'No space left on device'* | *'Disk quota exceeded'* | *'os error 28'* | *'os error 112'*)
      fail 2 'Disk full' "There is no room to install the dependencies, about 30 MB: $temp, or the cache of pip or uv, \
is full. Free some, or $elsewhere that has room."
      ;;
  esac
}

logged() { # command...: sets $took to its seconds
  took=$({ time "$@" </dev/null >"$new/log" 2>&1; } 2>&1)
}

# Neither writes bytecode: the first run writes what it needs, which takes less time in total.
with_uv() {
  logged "$uv" pip install --python "$python" --target "$deps" --no-deps --only-binary :all: \
    --require-hashes --no-compile-bytecode -r "$core/requirements.lock"
}

with_pip() { # a Python that has pip
  logged "$1" -I -m pip install --target "$deps" --no-deps --only-binary :all: \
    --require-hashes --no-compile -r "$core/requirements.lock"
}

with_pip_of_a_venv() {
  # Debian's python3 has no pip; with python3-venv it can make one.
  if ! logged "$python" -I -m venv "$new/venv"; then
    cat "$new/log" >&2
    fail_if_full "$new"
    fail 2 'No installer' "$python has neither pip nor venv, and there is no uv on PATH. Install one \
of them (on Debian: apt-get install python3-venv), or put actions/setup-python before this step."
  fi
  local pythons=("$new"/venv/bin/python "$new"/venv/Scripts/python.exe)
  if [ -x "${pythons[0]}" ]; then with_pip "${pythons[0]}"; else with_pip "${pythons[1]}"; fi || return
  rm -rf "$new/venv"
}

install() (
  how=pip
  TIMEFORMAT=%1R
  keep_only_index_settings
  uv=$(type -P uv) || uv=
  case $uv in /* | [A-Za-z]:*) ;; *) uv= ;; esac
  # Not in the workspace, whose pyproject.toml is not for this install. An empty uv.toml ends uv's search.
  cd "$new"
  : >uv.toml
  if [ -n "$uv" ] && with_uv; then
    how=uv
  else
    if [ -n "$uv" ]; then
      cat log >&2
      printf 'sauce-appdist: uv could not install the dependencies (see above); trying pip\n' >&2
      rm -rf "$deps"
    fi
    if with_pip "$python"; then
      :
    elif [[ $(<log) == *'No module named pip'* ]] && with_pip_of_a_venv; then
      how='pip of a venv'
    else
      cat log >&2
      fail_if_full "$new"
      fail 5 'Dependencies not installed' "The dependencies could not be installed; pip's output is above. \
Check that this machine can reach its package index (PIP_INDEX_URL, HTTPS_PROXY, certificates). If the hashes \
do not match, the index serves other files than pypi.org."
    fi
  fi
  printf 'sauce-appdist: installed its dependencies with %s in %s s\n' "$how" "$took" >&2
)

patience=120 # seconds to wait for the installs of others
mine=        # the file that says that it is our turn

lives() { # process
  local state=
  kill -0 "$1" 2>/dev/null || return 1
  { read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null || true # Z: killed, and not yet reaped; macOS has no /proc
  [ "$state" != Z ]
}

await_turn() { # until $home is ready, or it is our turn to install
  # Steps that start together let one of them install. Correctness does not depend on it: a step that has waited too
  # long, or cannot tell, installs as well. The file turn-N names the process whose turn it is, which removes it at
  # the end. If that process was killed, the file stays, and the next turn is N + 1.
  local turn=1 until=$((SECONDS + patience)) pause=0.2 unclear=0 holder
  while [ $SECONDS -lt $until ] && [ -w "$home" ]; do
    if [ -e "$home/ready" ] && is_ready; then return; fi
    set -C # so > only ever creates a file
    if { printf '%s\n' $$ >"$home/turn-$turn"; } 2>/dev/null; then mine=$home/turn-$turn; fi
    set +C
    if [ -n "$mine" ]; then return; fi
    holder=
    { read -r holder <"$home/turn-$turn"; } 2>/dev/null || true
    case $holder in
      '' | *[!0-9]*) # created or removed at this moment, or the disk is full
        unclear=$((unclear + 1))
        if [ $unclear -gt 2 ]; then return; fi
        ;;
      *)
        if ! lives "$holder"; then
          turn=$((turn + 1))
          continue
        fi
        ;;
    esac
    sleep $pause || sleep 1
    pause=1.$((RANDOM % 10)) # not all at the same time
  done
}

find_python
[ -d "$temp" ] || mkdir -p "$temp" || true
mkdir -m 700 "$home" 2>/dev/null || true # another step may have made it
refuse_what_others_can_write
new=
trap 'rm -rf "$new" "$mine"' EXIT
usable=$python
await_turn
if is_ready; then
  rm -f "$mine"
  trap - EXIT
  run ${1+"$@"}
fi
python=$usable
new=$(mktemp -d "$home/XXXXXXXX") ||
  fail 2 'Temporary directory not writable' "$home cannot be written (the reason is above). Free or repair it, or \
$elsewhere that this user can write to."
deps=$new/$tag
install
installed=$deps
if is_ready; then
  rm -rf "$new" # another step was faster; all use its install
else
  printf '%s\n' "$real" "${new##*/}/$tag" "${APPDIST_PYTHON:-}" >"$new/ready" || {
    fail_if_full "$new"
    fail 2 'Temporary directory not writable' "$new/ready cannot be written (the reason is above)."
  }
  mv -f "$new/ready" "$home/ready"
  python=$real deps=$installed
fi
rm -f "$mine"
trap - EXIT
run ${1+"$@"}
