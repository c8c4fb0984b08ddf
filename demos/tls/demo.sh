# shellcheck shell=bash
# The tls demo. ./demo.sh sources this file and calls demo_up, demo_stages, demo_records, demo_hints and demo_down.

# shellcheck source=network.sh
. "$DEMO/network.sh"
# shellcheck source=../agent.sh
. "$DEMO/../agent.sh"
# shellcheck source=pki.sh
. "$DEMO/pki.sh"

readonly SERVER="$STATE/server"

demo_need() { need curl curl nginx nginx openssl openssl iptables iptables iproute2 ip; }

demo_up() {
    network_up
    pki_up
    mkdir -p "$SERVER" "$FOLDER"
    cp "$DEMO/nginx.conf" "$SERVER/nginx.conf"
    serve_as server
    ip netns exec "$WORLD" nginx -p "$SERVER" -c nginx.conf || die "nginx did not start in $WORLD; see $SERVER/error.log"
    put_secrets first
    agent_up
}

# serve_as LEAF: the certificate that the server shows.
serve_as() {
    cp "$PKI/$1.crt" "$SERVER/server.crt"
    cp "$PKI/$1.key" "$SERVER/server.key"
}

# The server shows another certificate from now on. nginx does so a moment after it was told.
now_serves_as() {
    serve_as "$1"
    kill -HUP "$(cat "$SERVER/nginx.pid")"
    until_true "the server shows certificate $1" shows "$WORLD" "$1"
}

# shows NAMESPACE LEAF: whether a new connection from there is shown this certificate.
shows() { [ "$(shown "$1")" = "$(serial_of "$2")" ]; }

shown() {
    ip netns exec "$1" timeout 5 openssl s_client -connect "$WORLD_IP:443" -servername "$GOOD_NAME" </dev/null 2>/dev/null |
        openssl x509 -noout -serial 2>/dev/null || true
}

put_secrets() {
    secrets "$1" >"$STATE/secrets.yaml"
    chmod 600 "$STATE/secrets.yaml"
    put_file "$STATE/secrets.yaml" secrets.yaml
}

demo_stages() {
    stage "no policy: mediabot and the server talk past the node"
    expect "https://$GOOD_NAME/status" "All systems nominal" "World CA"
    expect "https://$OTHER_NAME/status" "All systems nominal" "World CA"

    put_policy visibility
    # Until the proxy has the secrets that the policy names, it refuses; they come a moment after.
    until_true "the proxy shows the cluster's certificate" shows "$MEDIABOT" first
    stage "TLS visibility: opened at the node, looked into, closed again"
    expect "https://$GOOD_NAME/status" "All systems nominal" "Cluster CA"
    expect "-H Authorization:s3cr3t-value https://$GOOD_NAME/headers" "Authorization: s3cr3t-value" "Cluster CA"
    expect "https://$OTHER_NAME/status" "All systems nominal" "Cluster CA"
    expect "--cacert $PKI/world.crt https://$GOOD_NAME/status" "certificate not trusted"
    seen "$MEDIABOT_IP $GOOD_NAME GET /status 200" 2
    seen "$MEDIABOT_IP $GOOD_NAME GET /headers 200" 1
    recorded "request inside TLS, forwarded" 1 '"entry_type":"Request"' "\"sni\":\"$GOOD_NAME\"" '"scheme":"https"' '"method":"GET"' '"path":"/headers"' '"verdict":"forwarded"'
    recorded "its answer" 1 '"entry_type":"Response"' '"path":"/headers"' '"status":200'

    put_policy status-only
    stage "TLS policy: of $GOOD_NAME only GET /status"
    expect "https://$GOOD_NAME/status" "All systems nominal" "Cluster CA"
    expect "https://$GOOD_NAME/headers" "Access denied (403)" "Cluster CA"
    expect "-XPOST https://$GOOD_NAME/status" "Access denied (403)" "Cluster CA"
    expect "https://$OTHER_NAME/status" "no TLS"
    expect "http://$GOOD_NAME:443/status" "no answer"
    seen "$MEDIABOT_IP $GOOD_NAME GET /headers 200" 1
    seen "$MEDIABOT_IP $OTHER_NAME GET /status 200" 2
    recorded "GET /headers, denied" 1 '"entry_type":"Denied"' '"scheme":"https"' '"path":"/headers"' '"reason":"no_http_rule_matched"'
    recorded "the other server name, denied" 1 '"entry_type":"Denied"' "\"sni\":\"$OTHER_NAME\""

    now_serves_as impostor
    stage "the server shows a certificate of a CA that nobody trusts: the node checks it in mediabot's place"
    expect "https://$GOOD_NAME/status" "refused (503)" "Cluster CA"
    recorded "upstream refused" 1 '"path":"/status"' '"reason":"upstream_tls_failed"'
    now_serves_as server
    expect "https://$GOOD_NAME/status" "All systems nominal" "Cluster CA"

    stage "rotation: new connections get the new certificate"
    certificate first
    put_secrets second
    until_true "the proxy shows the rotated certificate" shows "$MEDIABOT" second
    certificate second
    expect "https://$GOOD_NAME/status" "All systems nominal" "Cluster CA"

    stage "what is secret stays so"
    leaked keys "$(keys)"
    leaked credentials s3cr3t-value
}

# expect CURL-ARGUMENTS EXPECTED [ISSUER]: runs curl as mediabot; the issuer is that of the certificate it was shown.
expect() {
    local args="$1" want="$2${3:+, $3}" body status=0 code got issuer trust=(--cacert "$PKI/mediabot.pem")
    [[ "$args" != *--cacert* ]] || trust=()
    # shellcheck disable=SC2086 # the arguments are words without blanks
    body=$(ip netns exec "$MEDIABOT" curl -s -v -m 8 --noproxy '*' "${trust[@]}" -w '\n%{http_code}' $args 2>"$STATE/curl.err") || status=$?
    code=${body##*$'\n'}
    body=${body%%$'\n'*}
    body=${body%$'\r'}
    issuer=$(sed -n 's/^\* *issuer: CN=//p' "$STATE/curl.err")
    case "$status:$code" in
        0:403) got="$body (403)" ;;
        0:503 | 0:502) got="refused ($code)" ;;
        0:*) got="$body" ;;
        35:*) got="no TLS" ;;
        60:*) got="certificate not trusted" ;;
        28:* | 52:* | 55:* | 56:*) got="no answer" ;;
        7:*) got="no connection" ;;
        *) got="curl exit $status" ;;
    esac
    row "curl -s ${args//"$STATE"\/pki\//}" "$want" "$got${3:+, $issuer}"
}

# seen LINE COUNT: what the server's own log must hold. nginx writes its line after the answer is out, so a missing one is waited for, at most 2 s.
seen() {
    local count deadline=$((SECONDS + 2))
    while count=$(grep -cxF "$1" "$SERVER/access.log" || true) && [ "$count" -lt "$2" ] && [ "$SECONDS" -le "$deadline" ]; do sleep 0.05; done
    row "server's log: $1" "$2 x" "$count x"
}

# certificate LEAF: what a new connection is shown.
certificate() { row "openssl s_client -servername $GOOD_NAME: the certificate" "$(serial_of "$1")" "$(shown "$MEDIABOT")"; }

# Lines of the private keys, as PEM and as a Secret has them.
keys() {
    local leaf
    for leaf in first second; do
        sed -n 2p "$PKI/$leaf.key"
        base64 -w0 "$PKI/$leaf.key" | cut -c 61-120
    done
}

# leaked WHAT TEXTS: how many of the places where people look hold one of these lines.
leaked() {
    local admin places=() found
    admin=$(find "$RUN" -type s -name '*admin*' | head -n 1)
    curl -s -m 5 --unix-socket "$admin" http://admin/config_dump?include_eds >"$STATE/config_dump.json" || true
    out/postern-agent policy get --api-socket "$API" >"$STATE/policies.txt" 2>&1 || true
    out/postern-agent status --api-socket "$API" -o json >"$STATE/status.json" 2>&1 || true
    places=("$RECORDS" "$POSTERN_LOG" "$AGENT_LOG" "$STATE/config_dump.json" "$STATE/policies.txt" "$STATE/status.json")
    found=$({ grep -lF -- "$2" "${places[@]}" || true; } | wc -l)
    grep -q httpbin-tls-data "$STATE/config_dump.json" || found="config_dump names no secret"
    [ "$1" != keys ] || grep -qF -- "$2" "$FOLDER/secrets.yaml" || found="not even in the Secret"
    row "$1 in records, logs, config_dump, policies, status" "0" "$found"
}

demo_records() { agent_records 24; }

demo_hints() {
    cat <<HINTS

The demo is up. Things to try (as root, in $PWD):
  ip netns exec $MEDIABOT curl -sv --cacert $PKI/mediabot.pem https://$GOOD_NAME/status
  ip netns exec $MEDIABOT curl -si --cacert $PKI/mediabot.pem https://$GOOD_NAME/headers
  ip netns exec $MEDIABOT curl -sv --cacert $PKI/world.crt https://$GOOD_NAME/status
  tail -f $SERVER/access.log
HINTS
    agent_hints
    say "Take everything away:"
    say "  ./demo.sh tls --down"
}

demo_down() {
    network_down
    agent_down
}
demo_is_up() { network_exists || agent_is_up; }
