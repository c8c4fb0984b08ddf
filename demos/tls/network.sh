# shellcheck shell=bash
# mediabot in the cluster, a server out in the world, and a node between them.

readonly NODE=pmb-node PREFIX=pmb- MEDIABOT=pmb-mediabot WORLD=pmb-world
readonly MEDIABOT_IP=10.202.1.2 WORLD_IP=10.202.2.2
readonly GOOD_NAME=httpbin.example OTHER_NAME=other.example
readonly NAMESPACES=("$MEDIABOT" "$WORLD" "$NODE")
readonly HOSTS="$WORLD_IP $GOOD_NAME $OTHER_NAME"

# shellcheck source=../network.sh
. "$DEMO/../network.sh"

network_up() {
    namespaces_up
    pod_up "$MEDIABOT" "$MEDIABOT_IP" fd00:202:1::2
    pod_up "$WORLD" "$WORLD_IP" fd00:202:2::2
}
