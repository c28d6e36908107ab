package mcp.request_test

import data.mcp.fixture_test as fixture
import data.mcp.request

_full := fixture.with_members({
	"subject": {"properties": {
		"tenant": "acme",
		"assurance": {"acr": "high"},
		"delegation": [{"id": "runner"}],
	}},
	"context": {
		"surface": "ide",
		"agent": {"id": "cid-1", "verified": true},
		"session": {"state": "active"},
		"purpose": {"text": "refund", "source": "ticket"},
		"caller": {"id": "desk", "channel": "mtls"},
		"approval": {"requester": "user:bob@example.com"},
	},
})

test_every_name if {
	view := {
		"name": request.name,
		"family": request.family,
		"patterns": request.patterns,
		"server": request.server,
		"type": request.type,
		"method": request.method,
		"phase": request.phase,
		"user": request.user,
		"groups": request.groups,
		"actor_type": request.actor_type,
		"tenant": request.tenant,
		"assurance": request.assurance,
		"agent": request.agent,
		"surface": request.surface,
		"environment": request.environment,
		"session": request.session,
		"purpose": request.purpose,
		"caller": request.caller,
		"capability": request.capability,
		"arguments": request.arguments,
		"chain": request.chain,
		"on_behalf_of": request.on_behalf_of,
		"approval": request.approval,
	} with input as _full
		with data.registry as fixture.registry
		with data.agents as {"planner": {"clients": ["cid-1"]}, "runner": {}}
	view == {
		"name": "tool:payments/transfer",
		"family": "tool:payments/*",
		"patterns": ["tool:payments/transfer", "tool:payments/*", "*"],
		"server": "payments",
		"type": "tool",
		"method": "tools/call",
		"phase": "call",
		"user": {"id": "user:alice@example.com"},
		"groups": {"tellers", "staff"},
		"actor_type": "human",
		"tenant": "acme",
		"assurance": {"acr": "high"},
		"agent": "planner",
		"surface": "ide",
		"environment": "production",
		"session": {"state": "active"},
		"purpose": {"text": "refund", "source": "ticket"},
		"caller": {"id": "desk", "channel": "mtls"},
		"capability": fixture.registry["tool:payments/transfer"],
		"arguments": {"amount": 500, "to": "DE1"},
		"chain": ["planner", "runner"],
		"on_behalf_of": "user:alice@example.com",
		"approval": {"requester": "user:bob@example.com"},
	}
}

test_absent_facts_are_undefined_and_collections_are_not if {
	bare := {"subject": {"id": "user:a"}, "resource": {}, "context": {}}
	request.groups == set() with input as bare
	request.chain == [] with input as bare
	not request.actor_type with input as bare
	not request.on_behalf_of with input as bare
	not request.arguments with input as bare
	not request.name with input as bare
}

_family := {"approved": true, "risk": "low"}

_addressed(type, id) := entry if {
	asked := fixture.with_members({"resource": {"type": type, "id": id}})
	families := {"resource:payments/*": _family, "mcp_server:payments/*": _family, "tool:payments/*": _family}
	entry := request.capability with input as asked with data.registry as families
}

test_a_family_stands_for_addresses if _addressed("resource", "file:///a") == _family

test_a_family_stands_for_what_a_server_asks if _addressed("mcp_server", "roots/list") == _family

test_a_family_stands_for_no_tool if not _addressed("tool", "transfer")

test_an_entry_of_its_own_goes_before_its_family if {
	request.capability == {"approved": false} with input as fixture.with_members({"resource": {
		"type": "resource",
		"id": "file:///a",
	}})
		with data.registry as {"resource:payments/*": _family, "resource:payments/file:///a": {"approved": false}}
}
