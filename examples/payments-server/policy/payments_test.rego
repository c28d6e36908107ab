# METADATA
# title: Who sees and does what on the payments server
package payments_test

import data.mcp.main

_people := {
	"alice": {"groups": ["tellers"], "actor_type": "human"},
	"bob": {"groups": ["tellers"], "actor_type": "human"},
	"dana": {"groups": ["support"], "actor_type": "human"},
	"erin": {"groups": ["developers"], "actor_type": "human"},
	"nightly": {"groups": ["automation"], "actor_type": "automation"},
	"stranger": {},
}

_tools := [id | some name, _ in data.registry; id := trim_prefix(name, "tool:payments/")]

_request(person, tool, phase, context) := {
	"subject": {
		"type": "identity",
		"id": sprintf("user:%s@example.com", [person]),
		"properties": _people[person],
	},
	"action": {"name": "tools/call"},
	"resource": {"type": "tool", "id": tool, "properties": {"server": "payments"}},
	"context": object.union(
		{"profile": "mcp/1", "phase": phase, "environment": {"deployment": "production"}},
		context,
	),
}

_lists(person, context) := {tool |
	some tool in _tools
	main.visible with input as _request(person, tool, "discovery", context)
}

_call(person, tool, arguments) := _request(person, tool, "call", {"arguments": arguments})

_client(id) := {"agent": {"id": id, "verified": true}}

_development := {"environment": {"deployment": "development"}}

_pay(amount) := {"from": "acc-1", "to": "acc-2", "amount": amount, "currency": "EUR"}

test_tellers_list_in_production if {
	_lists("alice", {}) == {"balance", "customer", "transfer"}
	_lists("bob", {}) == {"balance", "customer", "transfer"}
}

test_support_lists_in_production if {
	_lists("dana", {}) == {"customer", "list_customers", "refund", "slow_report"}
}

test_automation_lists_in_production if {
	_lists("nightly", {}) == {"balance", "export_ledger"}
}

test_developers_list_only_in_development if {
	_lists("erin", {}) == set()
	_lists("erin", _development) == {"reset_sandbox"}
}

test_nobody_else_lists_in_development if {
	every person in ["alice", "dana", "nightly", "stranger"] {
		_lists(person, _development) == set()
	}
}

test_strangers_list_nothing if {
	_lists("stranger", {}) == set()
}

test_an_expired_session_lists_nothing if {
	_lists("alice", {"session": {"state": "expired"}}) == set()
}

test_tellers_transfer_within_their_limit if {
	main.outcome == "allow" with input as _call("alice", "transfer", _pay(9000))
	main.outcome == "allow" with input as _call("bob", "transfer", _pay(500))
}

test_tellers_do_not_transfer_beyond_their_limit if {
	every case in [["bob", 501], ["alice", 25001], ["alice", -1], ["alice", 0], ["alice", "1"]] {
		[person, amount] := case
		decision := main.decision with input as _call(person, "transfer", _pay(amount))
		decision.decision == "deny"
		decision.visible
		decision.reason_code == "TRANSFER_LIMIT"
	}
}

test_large_transfers_need_the_manager if {
	decision := main.decision with input as _call("alice", "transfer", _pay(10001))
	decision.decision == "require_approval"
	decision.reason_code == "MANAGER_APPROVAL"
	decision.constraints == {"approval_required": true, "require_approval_via": "task"}
}

test_refunds_need_a_supervisor if {
	decision := main.decision with input as _call("dana", "refund", {"payment": "e-1", "amount": 12.5})
	decision.decision == "require_approval"
	decision.reason_code == "SUPERVISOR_APPROVAL"
}

test_refunds_have_a_limit if {
	decision := main.decision with input as _call("dana", "refund", {"payment": "e-1", "amount": 501})
	decision.decision == "deny"
	decision.reason_code == "REFUND_LIMIT"
}

test_automation_alone_exports if {
	main.outcome == "allow" with input as _call("nightly", "export_ledger", {})
	decision := main.decision with input as _call("alice", "export_ledger", {})
	decision.decision == "deny"
	not decision.visible
}

test_people_see_customers_whole if {
	decision := main.decision with input as _call("dana", "customer", {"id": "c-1"})
	decision.decision == "allow"
	decision.obligations == set()
}

test_the_support_bot_keeps_public_fields if {
	call := _call("dana", "customer", {"id": "c-1"})
	decision := main.decision with input as object.union(call, {"context": _client("cid-support-bot")})
	decision.decision == "allow"
	decision.obligations == {{
		"type": "keep_fields",
		"paths": ["/id", "/segment", "/since"],
		"unstructured": "drop",
	}}
}

test_the_support_bot_lists_what_it_may if {
	_lists("dana", _client("cid-support-bot")) == {"customer", "list_customers", "slow_report"}
	_lists("dana", {"surface": "support_bot"}) == {"customer", "list_customers", "slow_report"}
}

test_an_agent_never_adds_to_its_user if {
	_lists("alice", _client("cid-support-bot")) == {"customer"}
	_lists("alice", _client("cid-planner")) == {"balance", "customer"}
	_lists("stranger", _client("cid-planner")) == set()
}

test_an_unknown_agent_may_nothing if {
	_lists("alice", _client("cid-unknown")) == set()
	_lists("alice", {"agent": {"id": "cid-planner"}}) == set()
}

test_the_desk_does_what_its_user_may if {
	_lists("alice", _client("cid-teller-desk")) == {"balance", "customer", "transfer"}
	_lists("alice", {"surface": "branch"}) == {"balance", "customer", "transfer"}
}
