# shellcheck shell=bash
# The node agent of a demo: runs it in the namespace NODE over a folder of YAML, changes policies, asks what is in force.

readonly FOLDER="$STATE/folder" RUN="$STATE/run" AGENT_LOG="$STATE/agent.log"
readonly BPF="$STATE/bpf" # a BPF file system of the demo's own: whatever is pinned goes with its mount
readonly API="$RUN/agent.sock" OBSERVE="$RUN/observe.sock" POSTERN_LOG="$RUN/proxy.log" RECORDS="$STATE/records.json"

# Starts it over the endpoints of the demo; waits until what stands in the folder is enforced.
agent_up() {
    mkdir -p "$FOLDER" "$RUN" "$BPF"
    # Where it cannot be mounted, the agent steers by iptables and says why.
    mount -t bpf bpf "$BPF" 2>/dev/null || true
    cp "$DEMO/endpoints.yaml" "$FOLDER/"
    # Its own session: Ctrl-C reaches this script only, which then takes the demo down in order.
    # nsenter, for `ip netns exec` would take it to a mount namespace of its own, and what eBPF pins would end with it.
    setsid nsenter --net="/run/netns/$NODE" out/postern-agent run --bpf-root "$BPF" --dir "$FOLDER" --runtime-dir "$RUN" --state-dir "$STATE/agent" \
        --proxy-arg=--record-json --proxy-arg="$RECORDS" </dev/null >"$AGENT_LOG" 2>&1 &
    AGENT_PID=$!
    disown
    enforced_after 0
    say "Steering: $(out/postern-agent steering list --api-socket "$API" | sed -n 's/^Mode: *//p')"
}

# put_policy NAME: the policy in force from now on. Waits until the proxy has ACKed it and the traffic is steered.
put_policy() {
    local before
    before=$(revision enforcedRevision)
    put_file "$DEMO/policies/$1.yaml" policy.yaml
    enforced_after "$before"
}

# put_file FROM NAME: renaming a whole file into place is what makes the change atomic for whoever watches it.
put_file() {
    cp "$1" "$FOLDER/.new"
    mv "$FOLDER/.new" "$FOLDER/$2"
}

# revision NAME: a number of the agent's status: revision or enforcedRevision; nothing while the agent does not answer.
revision() { out/postern-agent status --api-socket "$API" -o json 2>/dev/null | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"; }

enforced_after() { until_true "the agent enforces a revision after $1" is_enforced_after "$1"; }

is_enforced_after() { [ "$(revision enforcedRevision)" -gt "$1" ] 2>/dev/null; }

# until_true WHAT COMMAND...: waits for a condition at most 40 s, and reports what agent and proxy said when it does not come.
until_true() {
    local what="$1" deadline=$((SECONDS + 40))
    shift
    until "$@"; do
        [ -e "/proc/$AGENT_PID" ] || complain "postern-agent ended"
        [ "$SECONDS" -lt "$deadline" ] || complain "waited 40 s in vain: $what"
        sleep 0.1
    done
}

complain() {
    out/postern-agent status --api-socket "$API" >&2 || true
    tail -n 20 "$AGENT_LOG" >&2
    tail -n 20 "$POSTERN_LOG" >&2 || true
    die "$1; the agent's status and the last lines of agent and proxy stand above."
}

# recorded WHAT COUNT PATTERN...: how many records hold all of these texts. They are written within 50 ms; a missing one is waited for, at most 2 s.
recorded() {
    local what="$1" want="$2" count pattern lines deadline=$((SECONDS + 2))
    shift 2
    while :; do
        lines=$(cat "$RECORDS" 2>/dev/null || true)
        for pattern in "$@"; do lines=$(grep -F -- "$pattern" <<<"$lines" || true); done
        count=$(grep -c . <<<"$lines" || true)
        [ "$count" -lt "$want" ] && [ "$SECONDS" -le "$deadline" ] || break
        sleep 0.05
    done
    row "records: $what" "$want x" "$count x"
}

# Status of the agent, and the flow records.
agent_records() {
    say ""
    say "postern-agent status:"
    out/postern-agent status --api-socket "$API" || true
    say ""
    say "Flow records:"
    # A postern that cannot be asked is no reason to hide the records: the file has them too.
    timeout 10 out/postern observe --socket "$OBSERVE" --last "${1:-20}" --follow false -o table </dev/null 2>"$STATE/observe.err" || {
        sed 's/^/observe: /' "$STATE/observe.err" >&2
        tail -n 20 "$RECORDS"
    }
}

agent_hints() {
    cat <<HINTS
Change the policy: edit a copy, then rename it into place; the agent compiles it, the proxy ACKs it, it applies to the next request.
  cp $FOLDER/policy.yaml $FOLDER/.new && editor $FOLDER/.new && mv $FOLDER/.new $FOLDER/policy.yaml
Ask the agent (add -o json for programs):
  out/postern-agent status --api-socket $API
  out/postern-agent endpoint list --api-socket $API
  out/postern-agent policy get --api-socket $API
  nsenter --net=/run/netns/$NODE out/postern-agent doctor --api-socket $API --bpf-root $BPF
Watch the flows, the agent, the proxy:
  out/postern observe --socket $OBSERVE
  tail -f $AGENT_LOG
  tail -f $POSTERN_LOG
HINTS
}

agent_down() { while mountpoint -q "$BPF"; do umount -l "$BPF"; done; }

agent_is_up() { mountpoint -q "$BPF"; }
