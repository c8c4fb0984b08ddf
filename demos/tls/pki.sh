# shellcheck shell=bash
# Certificates of the demo, made anew for each run by openssl: the world's own CA, a CA that nobody trusts, and the cluster's, whose certificate stands
# in for the server's towards mediabot.

readonly PKI="$STATE/pki"

# authority NAME SUBJECT
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PKI/$1.key" -out "$PKI/$1.crt" -days 2 -subj "/CN=$2" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>>"$STATE/openssl.log" ||
        die "openssl could not make the CA $1; see $STATE/openssl.log"
}

# leaf NAME CA: a certificate for both names of the server.
leaf() {
    {
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PKI/$1.key" -out "$PKI/$1.csr" -subj "/CN=$GOOD_NAME" &&
            openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/$2.crt" -CAkey "$PKI/$2.key" -set_serial "0x$(openssl rand -hex 8)" -days 1 -out "$PKI/$1.crt" \
                -extfile <(printf 'subjectAltName=DNS:%s,DNS:%s\nextendedKeyUsage=serverAuth\n' "$GOOD_NAME" "$OTHER_NAME")
    } 2>>"$STATE/openssl.log" || die "openssl could not make the certificate $1; see $STATE/openssl.log"
}

pki_up() {
    mkdir -m 700 "$PKI"
    authority world "World CA"
    authority nobody "Nobody CA"
    authority cluster "Cluster CA"
    leaf server world
    leaf impostor nobody
    leaf first cluster
    leaf second cluster
    # mediabot trusts what everybody does and, in the cluster, the cluster's CA.
    cat "$PKI/world.crt" "$PKI/cluster.crt" >"$PKI/mediabot.pem"
}

# secrets LEAF: both secrets as Kubernetes would show them, with this certificate for mediabot.
secrets() {
    cat <<YAML
apiVersion: v1
kind: Secret
metadata: { name: httpbin-tls-data, namespace: kube-system }
type: kubernetes.io/tls
data:
  tls.crt: $(base64 -w0 "$PKI/$1.crt")
  tls.key: $(base64 -w0 "$PKI/$1.key")
---
apiVersion: v1
kind: Secret
metadata: { name: tls-orig-data, namespace: kube-system }
data:
  ca.crt: $(base64 -w0 "$PKI/world.crt")
YAML
}

serial_of() { openssl x509 -in "$PKI/$1.crt" -noout -serial; }
