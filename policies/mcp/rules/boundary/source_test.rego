package mcp.rules.boundary.source_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.source

_ide := fixture.with_members({"context": {"surface": "ide"}})

_planner := fixture.with_members({"context": {"agent": {"id": "cid-1", "verified": true}}})

_accepted := {"sources": ["internal"]}

_agents := {"planner": {"clients": ["cid-1"], "may": ["*"], "sources": ["internal"]}}

_registered(value) := object.union(fixture.registry, {"tool:payments/transfer": {"source": value}})

test_without_a_list_nothing_is_denied if {
	not source.applies with input as fixture.call with data.registry as _registered("marketplace")
	not source.applies with input as fixture.call with data.registry as fixture.registry
}

test_one_of_the_list_passes if {
	not source.applies with input as _ide
		with data.registry as _registered("internal")
		with data.surfaces as {"ide": _accepted}
}

test_another_is_denied_by_the_surface if {
	source.applies with input as _ide
		with data.registry as _registered("marketplace")
		with data.surfaces as {"ide": _accepted}
}

test_another_is_denied_by_the_environment if {
	source.applies with input as fixture.call
		with data.registry as _registered("marketplace")
		with data.environments as {"production": _accepted}
}

test_another_is_denied_by_an_agent if {
	source.applies with input as _planner
		with data.registry as _registered("marketplace")
		with data.agents as _agents
}

test_an_agent_outside_the_chain_does_not_count if {
	not source.applies with input as fixture.call
		with data.registry as _registered("marketplace")
		with data.agents as _agents
}

test_an_unknown_one_is_denied if {
	source.applies with input as _ide
		with data.registry as fixture.registry
		with data.surfaces as {"ide": _accepted}
}

test_an_empty_list_accepts_none if {
	source.applies with input as _ide
		with data.registry as _registered("internal")
		with data.surfaces as {"ide": {"sources": []}}
}

test_effect if source.effect == "deny"
