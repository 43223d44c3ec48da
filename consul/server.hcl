# Configures a Consul server that stores the lease, in the local cluster as in production. start.sh adds the secrets and
# what differs between servers.

datacenter = "lectern"
server     = true

# A server that stops remains a member, and keeps its data when it starts again.
leave_on_terminate   = false
rejoin_after_leave   = true
disable_update_check = true
log_level            = "warn"

# Without a token, nothing can be read or written. The site's token may use only its own keys (start.sh).
acl {
  enabled                  = true
  default_policy           = "deny"
  enable_token_persistence = true
}

# Elects a leader in one to three seconds; the default is five times slower.
performance {
  raft_multiplier = 1
}

# Only HTTP (8500), server RPC (8300) and gossip (8301) are used.
ports {
  dns      = -1
  grpc     = -1
  serf_wan = -1
}

connect {
  enabled = false
}
