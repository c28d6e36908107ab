package mcp.rules.boundary.risk_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.risk

_ide := fixture.with_members({"context": {"surface": "ide"}})

_planner := fixture.with_members({"context": {"agent": {"id": "cid-1", "verified": true}}})

_agents := {"planner": {"clients": ["cid-1"], "may": ["*"], "risk_max": "low"}}

_registered(tier) := object.union(fixture.registry, {"tool:payments/transfer": {"risk": tier}})

test_without_a_ceiling_nothing_is_denied if {
	not risk.applies with input as fixture.call with data.registry as _registered("critical")
}

test_at_the_ceiling_passes if {
	not risk.applies with input as _ide
		with data.registry as _registered("medium")
		with data.surfaces as {"ide": {"risk_max": "medium"}}
}

test_above_the_ceiling_of_the_surface_is_denied if {
	risk.applies with input as _ide
		with data.registry as _registered("high")
		with data.surfaces as {"ide": {"risk_max": "medium"}}
}

test_above_the_ceiling_of_the_environment_is_denied if {
	risk.applies with input as fixture.call
		with data.registry as _registered("critical")
		with data.environments as {"production": {"risk_max": "high"}}
}

test_above_the_ceiling_of_an_agent_is_denied if {
	risk.applies with input as _planner
		with data.registry as _registered("medium")
		with data.agents as _agents
}

test_the_ceiling_of_an_agent_elsewhere_does_not_count if {
	not risk.applies with input as fixture.call
		with data.registry as _registered("medium")
		with data.agents as _agents
}

test_the_lowest_ceiling_counts if {
	risk.applies with input as object.union(_planner, {"context": {"surface": "ide"}})
		with data.registry as _registered("medium")
		with data.agents as _agents
		with data.surfaces as {"ide": {"risk_max": "critical"}}
}

test_an_unknown_tier_is_above_every_ceiling if {
	risk.applies with input as _ide
		with data.registry as {}
		with data.surfaces as {"ide": {"risk_max": "critical"}}
}

test_an_unknown_ceiling_is_below_every_tier if {
	risk.applies with input as _ide
		with data.registry as _registered("low")
		with data.surfaces as {"ide": {"risk_max": "extreme"}}
}

test_tiers_are_ordered if {
	every pair in [["low", "medium"], ["medium", "high"], ["high", "critical"]] {
		_denied(pair[1], pair[0])
		not _denied(pair[0], pair[1])
	}
}

_denied(tier, ceiling) if {
	risk.applies with input as _ide
		with data.registry as _registered(tier)
		with data.surfaces as {"ide": {"risk_max": ceiling}}
}

test_effect if risk.effect == "deny"
