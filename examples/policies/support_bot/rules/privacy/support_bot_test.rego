package mcp.rules.privacy.support_bot_test

import data.mcp.main
import data.mcp.rules.privacy.support_bot

_request(phase, tool, context) := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:alice@example.com", "properties": {"groups": ["support"]}},
	"resource": {"type": "tool", "id": tool, "properties": {"server": "crm"}},
	"context": object.union(context, {
		"profile": "mcp/1",
		"phase": phase,
		"environment": {"deployment": "production"},
		"arguments": {},
	}),
}

_bot_calls(tool) := _request("call", tool, {"surface": "support_bot"})

_keep_public := {"type": "keep_fields", "paths": ["/id", "/plan"], "unstructured": "drop"}

# What the rule says

test_it_concerns_personal_data if support_bot.applies with input as _bot_calls("customer")

test_it_concerns_unclassified_tools if support_bot.applies with input as _bot_calls("export")

test_it_concerns_no_other_tools if not support_bot.applies with input as _bot_calls("status")

test_it_concerns_no_other_surface if {
	every context in [{"surface": "web"}, {}] {
		not support_bot.applies with input as _request("call", "customer", context)
	}
}

test_public_fields_are_kept if support_bot.obligations == {_keep_public} with input as _bot_calls("customer")

# What is decided as a whole

test_the_bot_gets_public_fields if {
	decision := main.decision with input as _bot_calls("customer")
	decision.decision == "allow"
	decision.obligations == {_keep_public}
}

test_the_client_proves_the_surface if {
	bot := {"agent": {"id": "cid-7f", "verified": true}}
	decision := main.decision with input as _request("call", "customer", bot)
	decision.decision == "allow"
	decision.obligations == {_keep_public}
}

test_others_get_everything if {
	every context in [{"surface": "web"}, {}] {
		decision := main.decision with input as _request("call", "customer", context)
		decision.decision == "allow"
		decision.obligations == set()
	}
}

test_the_bot_gets_all_of_results_without_personal_data if {
	decision := main.decision with input as _bot_calls("status")
	decision.decision == "allow"
	decision.obligations == set()
}

test_refused_without_listed_public_fields if {
	every tool in ["notes", "export"] {
		decision := main.decision with input as _bot_calls(tool)
		decision.decision == "deny"
		decision.reason_code == "NO_PUBLIC_FIELDS"
	}
}

test_elsewhere_they_are_allowed if {
	every tool in ["notes", "export"] {
		decision := main.decision with input as _request("call", tool, {"surface": "web"})
		decision.decision == "allow"
	}
}

test_all_are_listed if {
	every tool in ["customer", "notes", "status", "export"] {
		decision := main.decision with input as _request("discovery", tool, {"surface": "support_bot"})
		decision.visible
	}
}

test_unknown_tools_are_hidden if {
	decision := main.decision with input as _request("discovery", "delete", {"surface": "support_bot"})
	not decision.visible
}
