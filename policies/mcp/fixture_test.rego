# METADATA
# title: The request and data that the tests begin from
# description: A call that the library alone would let through, so that each test changes one thing.
package mcp.fixture_test

call := {
	"subject": {
		"type": "identity",
		"id": "user:alice@example.com",
		"properties": {"actor_type": "human", "groups": ["tellers", "staff"]},
	},
	"action": {"name": "tools/call"},
	"resource": {"type": "tool", "id": "transfer", "properties": {"server": "payments"}},
	"context": {
		"profile": "mcp/1",
		"phase": "call",
		"environment": {"deployment": "production"},
		"arguments": {"amount": 500, "to": "DE1"},
	},
}

# The call with some members replaced, at any depth.
with_members(members) := object.union(call, members)

# The call as a list asks it.
discovery := json.remove(object.union(call, {"context": {"phase": "discovery"}}), ["/context/arguments"])

registry := {"tool:payments/transfer": {
	"environment": "production",
	"risk": "medium",
	"approved": true,
	"data_classes": [],
}}

grants := [{"to": {"group": "tellers"}, "on": "tool:payments/transfer"}]
