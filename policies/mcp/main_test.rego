package mcp.main_test

import data.mcp.fixture_test as fixture
import data.mcp.main

_nothing := {
	"denied": {},
	"listed": {},
	"allowed": {},
	"limited": {},
	"askable": {},
	"asked": {},
	"eligible": {},
	"obliged": {},
	"unobliged": {},
}

_transfer(ids) := {"tool:payments/transfer": ids}

_allowing := {"listed": _transfer({"t/allow"}), "allowed": _transfer({"t/allow"})}

_asking := {"askable": _transfer({"t/ask"}), "asked": _transfer({"t/ask"})}

_router(kinds) := object.union(_nothing, kinds)

test_nothing_matched_is_deny if {
	main.decision == {
		"decision": "deny",
		"visible": false,
		"reason_code": "CAPABILITY_NOT_ALLOWED",
		"safe_message": null,
		"constraints": {},
		"obligations": set(),
		"rules": set(),
	} with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router({})
}

test_allow if {
	main.decision == {
		"decision": "allow",
		"visible": true,
		"reason_code": "ALLOWED",
		"safe_message": null,
		"constraints": {},
		"obligations": set(),
		"rules": {"t/allow"},
	} with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(_allowing)
}

test_a_rule_for_the_server_or_for_all_counts if {
	every pattern in ["tool:payments/*", "*"] {
		main.decision.decision == "allow" with input as fixture.call
			with data.registry as fixture.registry
			with data.mcp.router as _router({"listed": {pattern: {"t/allow"}}, "allowed": {pattern: {"t/allow"}}})
	}
	main.decision.decision == "deny" with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router({"listed": {"tool:ledger/*": {"t/allow"}}, "allowed": {"tool:ledger/*": {"t/allow"}}})
}

test_every_kind_counts_under_every_pattern if {
	every pattern in ["tool:payments/transfer", "tool:payments/*", "*"] {
		every kind in ["denied", "limited", "unobliged"] {
			main.decision.rules == {"t/x"} with input as fixture.call
				with data.registry as fixture.registry
				with data.mcp.router as _router(object.union(_allowing, {kind: {pattern: {"t/x"}}}))
		}
		main.decision.decision == "require_approval" with input as fixture.call
			with data.registry as fixture.registry
			with data.mcp.router as _router(object.union(_allowing, {"asked": {pattern: {"t/x"}}}))
		main.decision.obligations == {{"type": "log"}} with input as fixture.call
			with data.registry as fixture.registry
			with data.mcp.router as _router(object.union(_allowing, {"obliged": {pattern: {{"type": "log"}}}}))
	}
}

test_deny_beats_allow_and_hides if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, {"denied": _transfer({"t/deny"})}))
	decision.decision == "deny"
	decision.visible == false
	decision.rules == {"t/deny"}
	decision.reason_code == "POLICY_DENIED"
}

test_limit_beats_allow_and_shows if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, {"limited": _transfer({"t/limit"})}))
	decision.decision == "deny"
	decision.visible == true
	decision.rules == {"t/limit"}
}

test_outside_every_region_is_deny_and_names_the_rule if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router({"listed": _transfer({"t/allow"})})
	decision.decision == "deny"
	decision.visible == true
	decision.rules == {"t/allow"}
}

test_asking_beats_allow if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, _asking))
	decision.decision == "require_approval"
	decision.visible == true
	decision.rules == {"t/ask"}
	decision.reason_code == "APPROVAL_REQUIRED"
	decision.constraints == {"approval_required": true, "require_approval_via": "task"}
}

test_asking_allows_nothing_by_itself if main.decision.decision == "deny" with input as fixture.call
	with data.registry as fixture.registry
	with data.mcp.router as _router(_asking)

test_deny_and_limit_beat_asking if {
	every kind in ["denied", "limited", "unobliged"] {
		main.decision.decision == "deny" with input as fixture.call
			with data.registry as fixture.registry
			with data.mcp.router as _router(object.union(object.union(_allowing, _asking), {kind: _transfer({"t/x"})}))
	}
}

test_a_granted_approval_settles_its_rule_only if {
	granted := {"context": {"approval": {"granted_rules": ["t/ask"]}}}
	main.decision.decision == "allow" with input as fixture.with_members(granted)
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, _asking))
	two := object.union(_allowing, {"asked": _transfer({"t/ask", "t/other"})})
	main.decision.decision == "require_approval" with input as fixture.with_members(granted)
		with data.registry as fixture.registry
		with data.mcp.router as _router(two)
	main.decision.rules == {"t/other"} with input as fixture.with_members(granted)
		with data.registry as fixture.registry
		with data.mcp.router as _router(two)
}

test_an_approval_settles_a_grant_too if {
	ask := {"to": {"group": "tellers"}, "on": "tool:payments/transfer", "require_approval": {"by": {"group": "leads"}}}
	list := array.concat(fixture.grants, [ask])
	decision := main.decision with input as fixture.call with data.registry as fixture.registry with data.grants as list
	decision.decision == "require_approval"
	granted := fixture.with_members({"context": {"approval": {"granted_rules": ["grant:tool:payments/transfer"]}}})
	settled := main.decision with input as granted with data.registry as fixture.registry with data.grants as list
	settled.decision == "allow"
}

test_unstated_obligation_is_deny if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, {"unobliged": _transfer({"t/oblige"})}))
	decision.decision == "deny"
	decision.visible == true
}

test_channels if {
	every channels, expected in {
		["elicitation"]: "elicitation",
		["none"]: "none",
		["none", "task", "elicitation"]: "task",
		[]: "none",
	} {
		main.decision.constraints.require_approval_via == expected with input as fixture.call
			with data.registry as fixture.registry
			with data.mcp.router as _router(object.union(_allowing, _asking))
			with data.portcullis.rules as {"t/ask": {"channels": channels}}
	}
}

test_rules_that_ask_share_a_channel_or_have_none if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(object.union(_allowing, {"asked": _transfer({"t/ask", "t/other"})}))
		with data.portcullis.rules as {"t/ask": {"channels": ["task"]}, "t/other": {"channels": ["elicitation"]}}
	decision.constraints.require_approval_via == "none"
}

test_channel_of_a_grant if {
	ask := {
		"to": {"group": "tellers"},
		"on": "tool:payments/transfer",
		"require_approval": {"by": {"group": "leads"}, "via": ["none"]},
	}
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.grants as array.concat(fixture.grants, [ask])
	decision.constraints.require_approval_via == "none"
}

test_metadata_speaks if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router({"denied": _transfer({"t/a", "t/b", "t/c"})})
		with data.portcullis.rules as {
			"t/b": {"reason_code": "SECOND", "safe_message": "Second."},
			"t/c": {"reason_code": "THIRD", "safe_message": "Third."},
		}
	decision.reason_code == "SECOND"
	decision.safe_message == "Second."
}

test_nothing_is_said_of_what_is_allowed if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.mcp.router as _router(_allowing)
		with data.portcullis.rules as {"t/allow": {"reason_code": "LIMIT", "safe_message": "Less, please."}}
	decision.reason_code == "ALLOWED"
	decision.safe_message == null
}

test_grants_speak if {
	decision := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.grants as [{
			"to": {"group": "tellers"},
			"on": "tool:payments/transfer",
			"within": {"/amount": {"at_most": 1}},
			"reason_code": "TOO_MUCH",
			"safe_message": "Less, please.",
		}]
	decision.decision == "deny"
	decision.reason_code == "TOO_MUCH"
	decision.safe_message == "Less, please."
}

test_a_discovery_asks_only_for_visibility if {
	shown := main.decision with input as fixture.discovery
		with data.registry as fixture.registry
		with data.mcp.router as _router({"listed": _transfer({"t/allow"})})
	shown.decision == "allow"
	hidden := main.decision with input as fixture.discovery
		with data.registry as fixture.registry
		with data.mcp.router as _router({})
	hidden.decision == "deny"
}

test_an_unknown_phase_is_deny if {
	main.decision.decision == "deny" with input as fixture.with_members({"context": {"phase": "rehearsal"}})
		with data.registry as fixture.registry
		with data.mcp.router as _router(_allowing)
}

test_the_library_rules_are_in_force if {
	decision := main.decision with input as fixture.call with data.registry as {} with data.grants as fixture.grants
	decision.decision == "deny"
	decision.rules == {"boundary/environment", "registry/approved"}
	allowed := main.decision with input as fixture.call
		with data.registry as fixture.registry
		with data.grants as fixture.grants
	allowed.decision == "allow"
}

_listing(kinds) := listing if {
	[visible, code, rules] := main.listing with input as fixture.discovery
		with data.registry as fixture.registry
		with data.mcp.router as _router(kinds)
		with data.portcullis.rules as {"t/deny": {"reason_code": "FROZEN"}}
	listing := [visible, code, rules]
}

test_a_list_says_by_which_rules if {
	_listing(_allowing) == [true, "ALLOWED", {"t/allow"}]
	_listing({}) == [false, "CAPABILITY_NOT_ALLOWED", set()]
	_listing(object.union(_allowing, {"denied": _transfer({"t/other"})})) == [false, "POLICY_DENIED", {"t/other"}]
	_listing(object.union(_allowing, {"denied": _transfer({"t/deny"})})) == [false, "FROZEN", {"t/deny"}]
}

test_a_list_says_that_the_actor_is_why if {
	[visible, code, rules] := main.listing with input as fixture.discovery
		with data.registry as object.union(fixture.registry, {"tool:payments/transfer": {"actor_required": "automation"}})
		with data.mcp.router as _router(_allowing)
	[visible, code, rules] == [false, "ACTOR_VALIDATION_FAILED", {"t/allow"}]
}
