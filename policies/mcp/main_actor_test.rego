package mcp.main_actor_test

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

_of_actor(actor_type) := fixture.with_members({"subject": {"properties": {"actor_type": actor_type}}})

_demanding(actor) := object.union(fixture.registry, {"tool:payments/transfer": {"actor_required": actor}})

test_a_satisfied_demand_travels_as_a_constraint if {
	decision := main.decision with input as _of_actor("human")
		with data.registry as _demanding("human")
		with data.mcp.router as _router(_allowing)
	decision.decision == "allow"
	decision.constraints == {"actor_required": "human"}
}

test_who_satisfies_whom if {
	satisfied := {[actor, demand] |
		some actor in ["human", "supervised_ai", "automation", "service_account"]
		some demand in ["human", "supervised_ai", "automation", "service_account"]
		main.decision.decision == "allow" with input as _of_actor(actor)
			with data.registry as _demanding(demand)
			with data.mcp.router as _router(_allowing)
	}
	satisfied == {
		["human", "human"],
		["supervised_ai", "supervised_ai"],
		["human", "supervised_ai"],
		["automation", "automation"],
		["service_account", "service_account"],
	}
}

test_an_unsatisfied_demand_denies_and_hides if {
	decision := main.decision with input as _of_actor("automation")
		with data.registry as _demanding("supervised_ai")
		with data.mcp.router as _router(_allowing)
	decision.decision == "deny"
	decision.visible == false
	decision.reason_code == "ACTOR_VALIDATION_FAILED"
}

test_an_unknown_actor_satisfies_no_demand if {
	nobody := json.remove(fixture.call, ["/subject/properties/actor_type"])
	decision := main.decision with input as nobody
		with data.registry as _demanding("automation")
		with data.mcp.router as _router(_allowing)
	decision.decision == "deny"
	decision.visible == false
}

test_an_unknown_demand_is_satisfied_by_nobody if {
	main.decision.decision == "deny" with input as _of_actor("human")
		with data.registry as _demanding("wizard")
		with data.mcp.router as _router(_allowing)
}

test_where_someone_may_approve_a_human_may_stand_in if {
	decision := main.decision with input as _of_actor("automation")
		with data.registry as _demanding("human")
		with data.mcp.router as _router(object.union(_allowing, _asking))
	decision.decision == "require_approval"
	decision.visible == true
	decision.constraints == {
		"actor_required": "human",
		"approval_required": true,
		"require_approval_via": "task",
	}
	main.decision.visible == false with input as _of_actor("automation")
		with data.registry as _demanding("human")
		with data.mcp.router as _router(_allowing)
	main.decision.visible == true with input as _of_actor("automation")
		with data.registry as _demanding("human")
		with data.mcp.router as _router(object.union(_allowing, {"askable": {"*": {"t/ask"}}}))
}

test_a_grant_that_may_ask_counts_as_well if {
	ask := {"to": {"group": "tellers"}, "on": "tool:payments/transfer", "require_approval": {"by": {"group": "leads"}}}
	request := fixture.with_members({"subject": {"properties": {"actor_type": "automation"}}})
	main.visible with input as request
		with data.registry as _demanding("human")
		with data.grants as array.concat(fixture.grants, [ask])
}
