# shellcheck shell=bash
# The starwars demo. ./demo.sh sources this file and calls demo_up, demo_stages, demo_records, demo_hints and demo_down.

# shellcheck source=network.sh
. "$DEMO/network.sh"

readonly POLICY="$STATE/policy.yaml" RECORDS="$STATE/records.json" OBSERVE="$STATE/observe.sock" POSTERN_LOG="$STATE/postern.log" DEATHSTAR_DIR="$STATE/deathstar"
readonly LANDING="-4 -XPOST $DEATHSTAR_NAME/v1/request-landing" LANDING6="-6 -XPOST $DEATHSTAR_NAME/v1/request-landing" EXHAUST="-4 -XPUT $DEATHSTAR_NAME/v1/exhaust-port"

demo_need() { need curl curl nginx nginx iptables iptables iproute2 ip; }

demo_up() {
    network_up
    mkdir -p "$DEATHSTAR_DIR"
    cp "$DEMO/nginx.conf" "$DEATHSTAR_DIR/nginx.conf"
    ip netns exec "$DEATHSTAR" nginx -p "$DEATHSTAR_DIR" -c nginx.conf ||
        die "nginx did not start in $DEATHSTAR; see $DEATHSTAR_DIR/error.log"

    put_policy none
    sed "s|POLICY_FILE|$POLICY|" "$DEMO/bootstrap.yaml" >"$STATE/bootstrap.yaml"
    # Its own session: Ctrl-C reaches this script only, which then takes the demo down in order.
    setsid ip netns exec "$NODE" out/postern run -c "$STATE/bootstrap.yaml" --record-json "$RECORDS" --observe-socket "$OBSERVE" \
        --steer "to=$DEATHSTAR_IP/32,port=80,proxy-port=15001" \
        --steer "to=$DEATHSTAR_IP6/128,port=80,proxy-port=15001" </dev/null >"$POSTERN_LOG" 2>&1 &
    POSTERN_PID=$!
    disown
    until_true "postern is in the way of the tiefighter's request and records it" proxied
}

# An answer alone proves little: before the steering is in place the ships reach the death star directly.
proxied() { answers "$TIEFIGHTER" 200 && [ -s "$RECORDS" ]; }

# put_policy NAME: renaming a whole file into place is what makes the change atomic for whoever watches it.
put_policy() {
    cp "$DEMO/policies/$1.yaml" "$POLICY.new"
    mv "$POLICY.new" "$POLICY"
}

# until_true WHAT COMMAND...: waits for a condition at most 15 s, and reports what the proxy said when it does not come.
until_true() {
    local what="$1" deadline=$((SECONDS + 40))
    shift
    until "$@"; do
        [ -e "/proc/$POSTERN_PID" ] || { tail -n 20 "$POSTERN_LOG" >&2; die "postern ended; its last lines stand above."; }
        [ "$SECONDS" -lt "$deadline" ] || { tail -n 20 "$POSTERN_LOG" >&2; die "waited 15 s in vain: $what. Postern's last lines stand above."; }
        sleep 0.1
    done
}

# answers NAMESPACE STATUS: does a GET of / from there end with that status? 000 is a refused connection.
answers() {
    local got
    got=$(ip netns exec "$1" curl -4 -s -o /dev/null -m 2 -w '%{http_code}' "$DEATHSTAR_NAME/" || true)
    [ "$got" = "$2" ]
}

demo_stages() {
    stage "no policy: everybody lands"
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$XWING" "$LANDING" "Ship landed"
    seen "$TIEFIGHTER_IP POST /v1/request-landing 200" 1
    seen "$XWING_IP POST /v1/request-landing 200" 1

    # The condition that a policy is in force is probed with GET /, which no row of the table asks for.
    put_policy l3-l4
    until_true "the L3/L4 policy refuses the x-wing" answers "$XWING" 000
    stage "L3/L4 policy: port 80 for org=empire"
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$XWING" "$LANDING" "refused (reset)"
    expect "$TIEFIGHTER" "$EXHAUST" "Panic: deathstar exploded"
    seen "$XWING_IP POST /v1/request-landing 200" 1
    seen "$TIEFIGHTER_IP PUT /v1/exhaust-port 503" 1

    put_policy l7
    until_true "the L7 policy denies GET /" answers "$TIEFIGHTER" 403
    stage "L7 policy: org=empire may only POST /v1/request-landing"
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$TIEFIGHTER" "$EXHAUST" "Access denied (403)"
    expect "$XWING" "$LANDING" "refused (reset)"
    expect "$TIEFIGHTER" "$LANDING6" "Ship landed"
    expect "$XWING" "$LANDING6" "refused (reset)"
    seen "$TIEFIGHTER_IP6 POST /v1/request-landing 200" 1
    seen "$TIEFIGHTER_IP PUT /v1/exhaust-port 503" 1
}

# expect NAMESPACE CURL-ARGUMENTS EXPECTED: runs curl as a ship and compares.
expect() {
    local ship="${1#pst-}" args="$2" want="$3" body status=0 code got
    # shellcheck disable=SC2086 # the arguments are words without blanks
    body=$(ip netns exec "$1" curl -s -v -m 5 -w '\n%{http_code}' $args 2>"$STATE/curl.err") || status=$?
    code=${body##*$'\n'}
    body=${body%%$'\n'*}
    body=${body%$'\r'}
    case "$status:$code" in
        0:403) got="$body (403)" ;;
        0:*) got="$body" ;;
        52:* | 55:* | 56:*) got="refused (reset)" ;;
        # The reset may be faster than curl's look at the new connection; "Connection refused" (nobody listens) has the same exit code.
        7:*) if grep -q 'Connection reset by peer' "$STATE/curl.err"; then got="refused (reset)"; else got="no connection (curl 7)"; fi ;;
        28:*) got="no answer in 5 s" ;;
        *) got="curl exit $status" ;;
    esac
    row "$ship: curl -s $args" "$want" "$got"
}

# seen LINE COUNT: what the death star's own log must hold: a denied request never gets there, an allowed one comes from the ship's own address.
# nginx writes its line after the answer is out, so a missing one is waited for, at most 2 s.
seen() {
    local count deadline=$((SECONDS + 2))
    while count=$(grep -cxF "$1" "$DEATHSTAR_DIR/access.log" || true) && [ "$count" -lt "$2" ] && [ "$SECONDS" -le "$deadline" ]; do sleep 0.05; done
    row "deathstar's log: $1" "$2 x" "$count x"
}

demo_records() {
    say ""
    say "Flow records:"
    # A postern that cannot be asked is no reason to hide the records: the file has them too.
    timeout 10 out/postern observe --socket "$OBSERVE" --last 20 --follow false -o table </dev/null 2>"$STATE/observe.err" || {
        sed 's/^/observe: /' "$STATE/observe.err" >&2
        tail -n 20 "$RECORDS"
    }
}

demo_hints() {
    cat <<HINTS

The demo is up. Things to try (as root, in $PWD):
  ip netns exec $TIEFIGHTER curl -s $LANDING
  ip netns exec $TIEFIGHTER curl -si $EXHAUST
  ip netns exec $XWING curl -s $LANDING
  nsenter --net=/run/netns/$XWING curl -s -XPOST $DEATHSTAR_IP/v1/request-landing
Change the policy: edit a copy, then rename it into place; it applies to the next request.
  cp $POLICY $POLICY.new && editor $POLICY.new && mv $POLICY.new $POLICY
  cp $DEMO/policies/none.yaml $POLICY.new && mv $POLICY.new $POLICY
Watch the flows, the proxy, the death star:
  out/postern observe --socket $OBSERVE
  tail -f $POSTERN_LOG
  tail -f $DEATHSTAR_DIR/access.log
Take everything away:
  ./demo.sh --down
HINTS
}

demo_down() { network_down; }
demo_is_up() { network_exists; }
