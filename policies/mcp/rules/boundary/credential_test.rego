package mcp.rules.boundary.credential_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.credential

_ide := fixture.with_members({"context": {"surface": "ide"}})

_planner := fixture.with_members({"context": {"agent": {"id": "cid-1", "verified": true}}})

_accepted := {"credential_modes": ["user_delegated"]}

_agents := {"planner": {"clients": ["cid-1"], "may": ["*"], "credential_modes": ["user_delegated"]}}

_registered(value) := object.union(fixture.registry, {"tool:payments/transfer": {"credential_mode": value}})

test_without_a_list_nothing_is_denied if {
	not credential.applies with input as fixture.call with data.registry as _registered("service_account")
	not credential.applies with input as fixture.call with data.registry as fixture.registry
}

test_one_of_the_list_passes if {
	not credential.applies with input as _ide
		with data.registry as _registered("user_delegated")
		with data.surfaces as {"ide": _accepted}
}

test_another_is_denied_by_the_surface if {
	credential.applies with input as _ide
		with data.registry as _registered("service_account")
		with data.surfaces as {"ide": _accepted}
}

test_another_is_denied_by_the_environment if {
	credential.applies with input as fixture.call
		with data.registry as _registered("service_account")
		with data.environments as {"production": _accepted}
}

test_another_is_denied_by_an_agent if {
	credential.applies with input as _planner
		with data.registry as _registered("service_account")
		with data.agents as _agents
}

test_an_agent_outside_the_chain_does_not_count if {
	not credential.applies with input as fixture.call
		with data.registry as _registered("service_account")
		with data.agents as _agents
}

test_an_unknown_one_is_denied if {
	credential.applies with input as _ide
		with data.registry as fixture.registry
		with data.surfaces as {"ide": _accepted}
}

test_an_empty_list_accepts_none if {
	credential.applies with input as _ide
		with data.registry as _registered("user_delegated")
		with data.surfaces as {"ide": {"credential_modes": []}}
}

test_effect if credential.effect == "deny"
