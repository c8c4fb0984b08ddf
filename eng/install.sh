# shellcheck shell=bash
# Functions that the root scripts share: messages, missing Debian packages, the .NET SDK. Source it, do not run it.

say() { printf '%s\n' "$*"; }

# Errors go to stderr and name what to do about them.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# need PACKAGE COMMAND: installs a Debian package when its command is missing. Says so, and fails with the line to type when it cannot.
# A package without a command is known by a path it brings: an absolute one in place of the command.
# Several pairs may follow one another; all that is missing is installed in one go.
need() {
    local missing=()
    while [ $# -ge 2 ]; do
        # sbin is not on every user's PATH, yet that is where nginx, haproxy, ip and iptables live.
        # A folder is no command, so a path that is there counts as it is.
        [[ "$2" = /* && -e "$2" ]] || PATH="$PATH:/usr/sbin:/sbin" command -v "$2" >/dev/null 2>&1 || missing+=("$1")
        shift 2
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    command -v apt-get >/dev/null 2>&1 || die "missing: ${missing[*]}. Install them with this system's package manager (apt-get is not here)."
    is_root || die "missing: ${missing[*]}. Run: sudo apt-get install -y --no-install-recommends ${missing[*]}"

    say "Installing ${missing[*]}"
    install_without_starting "${missing[@]}" || die "apt-get could not install ${missing[*]}; its last lines stand above."
}

# Debian starts a daemon when its package is installed. invoke-rc.d asks policy-rc.d first; 101 means "do not".
# An administrator's own policy-rc.d is left as it is.
install_without_starting() {
    local guard=/usr/sbin/policy-rc.d placed="" log status=0
    log=$(mktemp)
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        placed=yes
    fi
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    } </dev/null >"$log" 2>&1 || status=$?
    [ -z "$placed" ] || rm -f "$guard"
    [ "$status" = 0 ] || tail -n 15 "$log" >&2
    rm -f "$log"
    return "$status"
}

# The SDK is not in Debian's archive, so it cannot be installed from here.
need_dotnet() {
    command -v dotnet >/dev/null 2>&1 ||
        die "the .NET 10 SDK is missing (no 'dotnet' on PATH). Install it as learn.microsoft.com/dotnet/core/install/linux-debian says."
    dotnet --list-sdks 2>/dev/null | grep -q '^10\.' ||
        die "the .NET 10 SDK is missing; 'dotnet --list-sdks' shows: $(dotnet --list-sdks 2>/dev/null | tr '\n' ';')"
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
    # The published executable looks for the runtime in the system's places only; an SDK unpacked elsewhere needs DOTNET_ROOT.
    if [ -z "${DOTNET_ROOT:-}" ]; then
        DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
        export DOTNET_ROOT
    fi
}

# The steering program is compiled by clang, for no machine but the kernel's own; libbpf-dev has its headers and brings libbpf1, which loads it.
need_bpf() {
    need clang clang libbpf-dev /usr/include/bpf/bpf_helpers.h
}

# A gRPC client for tests, from npm in the versions of its lock file. Debian's npm brings hundreds of packages, so it is not installed for this: without npm those tests are skipped.
need_grpc_js() {
    local lock=tests/Netns/Http/grpc-js to=out/grpc-js log
    ! cmp -s "$lock/package-lock.json" "$to/installed.json" || return 0
    command -v npm >/dev/null 2>&1 || { say "No npm: the tests with @grpc/grpc-js are skipped."; return 0; }
    say "Installing @grpc/grpc-js"
    mkdir -p "$to"
    cp "$lock/package.json" "$lock/package-lock.json" "$to/"
    if log=$(cd "$to" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund 2>&1 </dev/null); then
        cp "$lock/package-lock.json" "$to/installed.json"
    else
        rm -rf "$to"
        say "npm could not install it, so the tests with it are skipped: $(tail -n 3 <<<"$log")"
    fi
}

# The runtime identifier of this machine.
rid() {
    case "$(uname -m)" in
        x86_64) echo linux-x64 ;;
        aarch64) echo linux-arm64 ;;
        *) die "no runtime identifier known for $(uname -m); Postern is built for x86_64 and aarch64." ;;
    esac
}
