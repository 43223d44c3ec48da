#!/bin/sh
# Starts a Consul server with the secrets of its environment, and creates the site's token once there is a leader.
#
#   CONSUL_GOSSIP_KEY        encrypts traffic between servers (consul keygen)
#   CONSUL_HTTP_TOKEN        has all permissions; a UUID. Consul's commands use it.
#   CONSUL_SITE_TOKEN        may use the keys and sessions below "lectern/"; a UUID
#   CONSUL_SERVERS           the number of servers that elect the first leader
#   CONSUL_NODE, CONSUL_BIND, CONSUL_CLIENT, CONSUL_JOIN, CONSUL_DATA_DIR
#                            name, addresses and folder; the defaults are for Fly
set -eu
umask 077

: "${CONSUL_GOSSIP_KEY:?is not set}" "${CONSUL_HTTP_TOKEN:?is not set}" "${CONSUL_SITE_TOKEN:?is not set}"
data="${CONSUL_DATA_DIR:-/consul/data}"
bind="${CONSUL_BIND:-$FLY_PRIVATE_IP}"
join="${CONSUL_JOIN:-$FLY_APP_NAME.internal}"
mkdir -p "$data"
# Works without a leader, but only for commands about this server.
recovery="$(cat /proc/sys/kernel/random/uuid)"

# In a file, because arguments are visible in the process list.
cat > "$data/secrets.hcl" <<END
encrypt = "$CONSUL_GOSSIP_KEY"
acl {
  tokens {
    initial_management = "$CONSUL_HTTP_TOKEN"
    agent              = "$CONSUL_HTTP_TOKEN"
    agent_recovery     = "$recovery"
  }
}
END

# Repeats until a leader has the site's token, which any server may have created.
# Keeps joining in the meantime: when the servers start together, DNS may return only this one at first.
create_site_token() {
  rules='key_prefix "lectern/" { policy = "write" } node_prefix "lectern/" { policy = "write" } session_prefix "lectern/" { policy = "write" }'
  until CONSUL_HTTP_TOKEN="$CONSUL_SITE_TOKEN" consul acl token read -self; do
    sleep 1
    kill -0 $$ || exit 0 # the server has exited
    CONSUL_HTTP_TOKEN="$recovery" consul join "$join" || true
    consul acl policy create -name lectern -rules "$rules" || true
    consul acl token create -description "the site" -policy-name lectern -secret "$CONSUL_SITE_TOKEN" || true
  done > /dev/null 2>&1
}
create_site_token &

exec consul agent \
  -config-file="$(dirname "$0")/server.hcl" \
  -config-file="$data/secrets.hcl" \
  -bootstrap-expect="${CONSUL_SERVERS:-3}" \
  -node="${CONSUL_NODE:-$FLY_MACHINE_ID}" \
  -bind="$bind" \
  -client="${CONSUL_CLIENT:-::}" \
  -retry-join="$join" \
  -retry-interval=1s \
  -data-dir="$data"
