package delegated_agent_test

import data.mcp.main

# `chain` holds client ids: the agent that calls, then those that handed on to it.
_request(phase, chain, server, tool) := {
	"action": {"name": "tools/call"},
	"subject": {
		"id": "user:alice@example.com",
		"properties": {
			"groups": ["tellers"],
			"delegation": [{"id": id} | some i, id in chain; i > 0],
		},
	},
	"resource": {"type": "tool", "id": tool, "properties": {"server": server}},
	"context": object.union(_caller(chain), {
		"profile": "mcp/1",
		"phase": phase,
		"environment": {"deployment": "production"},
		"arguments": {},
	}),
}

_caller([]) := {}

_caller(chain) := {"agent": {"id": chain[0], "verified": true}}

_planner := ["cid-3a"]

_runner := ["runner", "cid-3a"]

_allowed_and_listed(chain, server, tool) if {
	every phase in ["call", "discovery"] {
		decision := main.decision with input as _request(phase, chain, server, tool)
		decision.decision == "allow"
		decision.visible
	}
}

_refused_and_hidden(chain, server, tool) if {
	every phase in ["call", "discovery"] {
		decision := main.decision with input as _request(phase, chain, server, tool)
		decision.decision == "deny"
		not decision.visible
	}
}

test_the_user_is_not_bound_by_the_agents if {
	_allowed_and_listed([], "payments", "close_account")
	_allowed_and_listed([], "crm", "customer")
}

test_the_planner_uses_payments_up_to_medium_risk if {
	_allowed_and_listed(_planner, "payments", "balance")
	_allowed_and_listed(_planner, "payments", "transfer")
	_refused_and_hidden(_planner, "payments", "close_account")
}

test_the_planner_uses_no_other_server if _refused_and_hidden(_planner, "crm", "customer")

test_the_runner_reads_balances_only if {
	_allowed_and_listed(_runner, "payments", "balance")
	_refused_and_hidden(_runner, "payments", "transfer")
	_refused_and_hidden(_runner, "payments", "close_account")
}

test_the_runner_does_not_hand_on if _refused_and_hidden(["cid-3a", "runner"], "payments", "balance")

test_unknown_agents_are_refused if {
	_refused_and_hidden(["cid-00"], "payments", "balance")
	_refused_and_hidden(["runner", "cid-00"], "payments", "balance")
	_refused_and_hidden(["cid-00", "cid-3a"], "payments", "balance")
}

test_an_agent_with_clients_is_not_known_by_its_name if {
	_refused_and_hidden(["planner"], "payments", "balance")
}

test_an_unverified_agent_is_refused if {
	claimed := {"context": {"agent": {"verified": false}}}
	request := object.union(_request("call", _planner, "payments", "balance"), claimed)
	decision := main.decision with input as request
	decision.decision == "deny"
}

test_an_agent_adds_nothing_to_what_its_user_may if {
	stranger := {"subject": {"properties": {"groups": []}}}
	request := object.union(_request("call", _planner, "payments", "balance"), stranger)
	decision := main.decision with input as request
	decision.decision == "deny"
}
