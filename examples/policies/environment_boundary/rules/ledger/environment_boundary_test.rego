package mcp.rules.ledger.environment_boundary_test

import data.mcp.main
import data.mcp.rules.ledger.environment_boundary

_request(phase, resource, environment) := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:alice@example.com", "properties": {"groups": ["accountants"]}},
	"resource": resource,
	"context": object.union(environment, {"profile": "mcp/1", "phase": phase, "arguments": {}}),
}

_post := {"type": "tool", "id": "post", "properties": {"server": "ledger"}}

_close_month := {"type": "prompt", "id": "close_month", "properties": {"server": "ledger"}}

_balance := {"type": "tool", "id": "balance", "properties": {"server": "payments"}}

_production := {"environment": {"deployment": "production"}}

_strangers := [{"environment": {"deployment": "staging"}}, {"environment": {}}, {}]

# What the rule says

test_it_lets_its_own_environment_pass if {
	every resource in [_post, _close_month] {
		not environment_boundary.applies with input as _request("call", resource, _production)
	}
}

test_it_refuses_other_environments_and_none if {
	every resource in [_post, _close_month] {
		every environment in _strangers {
			environment_boundary.applies with input as _request("call", resource, environment)
		}
	}
}

test_it_refuses_what_the_registry_does_not_know if {
	unknown := object.union(_post, {"id": "purge"})
	every environment in [_production, {}] {
		environment_boundary.applies with input as _request("call", unknown, environment)
	}
}

test_it_concerns_no_other_server if {
	every environment in _strangers {
		not environment_boundary.applies with input as _request("call", _balance, environment)
	}
}

# What is decided as a whole; the library has a boundary of its own, so see that ours refuses as well

test_allowed_and_listed_inside if {
	every phase in ["call", "discovery"] {
		decision := main.decision with input as _request(phase, _post, _production)
		decision.decision == "allow"
		decision.visible
	}
}

test_refused_and_hidden_outside if {
	every phase in ["call", "discovery"] {
		every environment in _strangers {
			decision := main.decision with input as _request(phase, _post, environment)
			decision.decision == "deny"
			not decision.visible
			"ledger/environment_boundary" in decision.rules
		}
	}
}

test_other_servers_are_not_ours_to_refuse if {
	every environment in _strangers {
		decision := main.decision with input as _request("call", _balance, environment)
		not "ledger/environment_boundary" in decision.rules
	}
}
