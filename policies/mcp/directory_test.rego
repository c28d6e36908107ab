package mcp.directory_test

import data.mcp.directory
import data.mcp.fixture_test as fixture

_agents := {"planner": {"clients": ["cid-1"]}, "runner": {}}

_surfaces := {"bot": {"clients": ["cid-1"]}, "ide": {}}

_of(members) := fixture.with_members(members)

_verified := {"context": {"agent": {"id": "cid-1", "verified": true}}}

_delegation(links) := {"subject": {"properties": {"delegation": [{"id": link} | some link in links]}}}

test_agent_is_the_verified_client if {
	directory.agent == "planner" with input as _of(_verified) with data.agents as _agents
}

test_an_unverified_client_is_no_agent if {
	not directory.agent with input as _of({"context": {"agent": {"id": "cid-1", "verified": false}}})
		with data.agents as _agents
}

test_surface_is_proved_by_the_client_or_stated if {
	directory.surface == "bot" with input as _of(_verified) with data.surfaces as _surfaces
	directory.surface == "ide" with input as _of({"context": {"surface": "ide"}}) with data.surfaces as _surfaces
	directory.surface == "bot" with input as _of(object.union(_verified, {"context": {"surface": "ide"}}))
		with data.surfaces as _surfaces
}

test_no_agent_no_chain if {
	directory.chain == [] with input as fixture.call with data.agents as _agents
}

test_the_caller_leads_the_chain if {
	directory.chain == ["planner"] with input as _of(_verified) with data.agents as _agents
}

test_delegation_is_resolved if {
	directory.chain == ["runner", "planner"] with input as _of(_delegation(["runner", "cid-1"]))
		with data.agents as _agents
}

test_a_caller_that_is_the_first_link_stands_once if {
	directory.chain == ["planner", "runner"] with input as _of(object.union(_verified, _delegation(["cid-1", "runner"])))
		with data.agents as _agents
}

test_a_caller_that_is_no_link_is_put_first if {
	directory.chain == ["planner", "runner"] with input as _of(object.union(_verified, _delegation(["runner"])))
		with data.agents as _agents
}

test_unknown_links_stand_as_null if {
	directory.chain == [null, "planner"] with input as _of(_delegation(["cid-0", "cid-1"])) with data.agents as _agents
	directory.chain == [null] with input as _of({"context": {"agent": {"id": "cid-0", "verified": true}}})
		with data.agents as _agents
	directory.chain == [null] with input as _of({"context": {"agent": {"id": "cid-1"}}}) with data.agents as _agents
}

test_an_application_is_no_link if {
	from := {"context": {"agent": {"id": "cid-9", "verified": true}}}
	directory.chain == [] with input as _of(from) with data.surfaces as {"ide": {"clients": ["cid-9"]}}
	directory.chain == ["runner"] with input as _of(object.union(from, _delegation(["runner"])))
		with data.surfaces as {"ide": {"clients": ["cid-9"]}}
		with data.agents as _agents
}

test_an_unproved_application_is_a_link_that_nobody_knows if {
	directory.chain == [null] with input as _of({"context": {"agent": {"id": "cid-9", "verified": false}}})
		with data.surfaces as {"ide": {"clients": ["cid-9"]}}
}

test_a_client_that_is_both_is_an_agent if {
	directory.chain == ["planner"] with input as _of(_verified)
		with data.agents as _agents
		with data.surfaces as _surfaces
}
