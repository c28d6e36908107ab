package mcp.rules.payments.manager_approval_test

import data.mcp.main
import data.mcp.rules.payments.manager_approval

_request(phase, groups, arguments) := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:alice@example.com", "properties": {"groups": groups}},
	"resource": {"type": "tool", "id": "transfer", "properties": {"server": "payments"}},
	"context": {
		"profile": "mcp/1",
		"phase": phase,
		"environment": {"deployment": "production"},
		"arguments": arguments,
	},
}

_teller_calls(arguments) := _request("call", ["tellers"], arguments)

_asked(approver, requester) := {
	"subject": {"id": approver},
	"resource": {"type": "tool", "id": "transfer", "properties": {"server": "payments"}},
	"context": {"approval": {"requester": requester}},
}

# What the rule says

test_it_concerns_transfers if manager_approval.applies with input as _teller_calls({})

test_small_ones_need_no_approval if {
	every amount in [1, 10000] {
		manager_approval.within with input as _teller_calls({"amount": amount})
	}
}

test_large_ones_need_one if {
	not manager_approval.within with input as _teller_calls({"amount": 10000.01})
}

test_the_manager_is_eligible if {
	manager_approval.eligible with input as _asked("user:bob@example.com", "user:alice@example.com")
}

test_others_are_not if {
	every approver in ["user:alice@example.com", "user:carol@example.com"] {
		not manager_approval.eligible with input as _asked(approver, "user:alice@example.com")
	}
}

test_nobody_is_their_own_manager if {
	not manager_approval.eligible with input as _asked("user:carol@example.com", "user:carol@example.com")
}

test_unknown_requester if {
	not manager_approval.eligible with input as _asked("user:bob@example.com", "user:dave@example.com")
}

# What is decided as a whole

test_small_ones_are_allowed if {
	decision := main.decision with input as _teller_calls({"amount": 10000})
	decision.decision == "allow"
}

test_large_ones_wait_for_approval if {
	decision := main.decision with input as _teller_calls({"amount": 10001})
	decision.decision == "require_approval"
	decision.reason_code == "MANAGER_APPROVAL"
	decision.rules == {"payments/manager_approval"}
}

test_malformed_ones_are_refused if {
	every arguments in [{}, {"amount": null}, {"amount": "1"}, {"amount": -1}] {
		decision := main.decision with input as _teller_calls(arguments)
		decision.decision == "deny"
	}
}

test_an_approval_rule_allows_nothing if {
	decision := main.decision with input as _request("call", ["support"], {"amount": 10001})
	decision.decision == "deny"
}

test_listed_for_tellers if {
	decision := main.decision with input as _request("discovery", ["tellers"], {})
	decision.visible
}

test_hidden_from_others if {
	decision := main.decision with input as _request("discovery", ["support"], {})
	not decision.visible
}
