package mcp.rules.payments.transfer_limit_test

import data.mcp.main
import data.mcp.rules.payments.transfer_limit

_request(phase, user, groups, arguments) := {
	"action": {"name": "tools/call"},
	"subject": {"id": user, "properties": {"groups": groups}},
	"resource": {"type": "tool", "id": "transfer", "properties": {"server": "payments"}},
	"context": {
		"profile": "mcp/1",
		"phase": phase,
		"environment": {"deployment": "production"},
		"arguments": arguments,
	},
}

_teller_calls(arguments) := _request("call", "user:alice@example.com", ["tellers"], arguments)

# What the rule says

test_it_concerns_tellers if transfer_limit.applies with input as _teller_calls({})

test_it_concerns_nobody_else if {
	not transfer_limit.applies with input as _request("call", "user:alice@example.com", ["support"], {})
}

test_up_to_the_limit if {
	every amount in [0.01, 999, 1000] {
		transfer_limit.within with input as _teller_calls({"amount": amount})
	}
}

test_outside if {
	every amount in [1000.01, 0, -1, null, "1", true, [1], {}] {
		not transfer_limit.within with input as _teller_calls({"amount": amount})
	}
}

test_missing_amount if not transfer_limit.within with input as _teller_calls({})

test_no_entry if {
	not transfer_limit.within with input as _request("call", "user:carol@example.com", ["tellers"], {"amount": 1})
}

# What is decided as a whole

test_allowed if {
	decision := main.decision with input as _teller_calls({"amount": 1000})
	decision.decision == "allow"
	decision.rules == {"payments/transfer_limit"}
}

test_refused_over_the_limit if {
	decision := main.decision with input as _teller_calls({"amount": 1001})
	decision.decision == "deny"
	decision.reason_code == "TRANSFER_LIMIT"
	decision.safe_message == "This transfer is not within your limit."
}

test_refused_malformed if {
	every arguments in [{}, {"amount": null}, {"amount": "1"}] {
		decision := main.decision with input as _teller_calls(arguments)
		decision.decision == "deny"
	}
}

test_refused_without_an_entry if {
	decision := main.decision with input as _request("call", "user:carol@example.com", ["tellers"], {"amount": 1})
	decision.decision == "deny"
}

test_refused_to_others if {
	decision := main.decision with input as _request("call", "user:alice@example.com", ["support"], {"amount": 1})
	decision.decision == "deny"
}

test_listed_for_tellers if {
	decision := main.decision with input as _request("discovery", "user:carol@example.com", ["tellers"], {})
	decision.visible
}

test_hidden_from_others if {
	decision := main.decision with input as _request("discovery", "user:alice@example.com", ["support"], {})
	not decision.visible
}
