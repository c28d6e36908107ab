package mcp.rules.delegation.chain_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.delegation.chain

_agents := {
	"planner": {"clients": ["cid-3a"], "may": ["tool:payments/*"], "delegates_to": ["runner"]},
	"runner": {"may": ["tool:payments/transfer"]},
	"reader": {"may": ["tool:payments/balance"]},
	"idle": {},
}

_through(links) := fixture.with_members({"subject": {"properties": {"delegation": [{"id": link} | some link in links]}}})

_by(agent) := fixture.with_members({"context": {"agent": agent}})

_denied(request) if chain.applies with input as request with data.agents as _agents

test_a_user_without_agents_passes if not _denied(fixture.call)

test_an_agent_that_may_passes if not _denied(_by({"id": "cid-3a", "verified": true}))

test_a_delegated_chain_passes if not _denied(_through(["runner", "cid-3a"]))

test_an_agent_that_may_not_is_denied if _denied(_through(["reader"]))

test_an_agent_that_may_nothing_is_denied if _denied(_through(["idle"]))

test_every_link_must_be_allowed if _denied(_through(["reader", "cid-3a"]))

test_a_missing_edge_is_denied if _denied(_through(["cid-3a", "runner"]))

test_an_unknown_link_is_denied if _denied(_through(["runner", "cid-00"]))

test_an_unverified_agent_is_denied if _denied(_by({"id": "cid-3a", "verified": false}))

test_an_agent_without_proof_is_denied if _denied(_by({"id": "cid-3a"}))

test_an_unknown_agent_is_denied if _denied(_by({"id": "cid-00", "verified": true}))

test_a_claimed_name_is_no_agent if not _denied(_by({"claimed": {"name": "planner"}}))

test_a_request_that_names_no_agent_at_all_is_direct if {
	not chain.applies with input as fixture.call with data.agents as {}
}

test_an_unreadable_chain_is_denied if {
	chain.applies with input as fixture.call with data.mcp.directory as {}
}

test_effect if chain.effect == "deny"
