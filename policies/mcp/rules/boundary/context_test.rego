package mcp.rules.boundary.context_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.context

_all := ["user", "agent", "surface", "environment"]

_request(members) := object.union(
	fixture.with_members({"context": {"surface": "ide", "agent": {"id": "cid-3a", "verified": true}}}),
	members,
)

_denied(request, required) if {
	context.applies with input as request
		with data.require_context as required
		with data.surfaces as {"ide": {}}
		with data.agents as {"planner": {"clients": ["cid-3a"], "may": ["*"]}}
}

test_all_of_it_passes if not _denied(_request({}), _all)

test_nothing_demanded_passes if {
	not _denied(fixture.call, [])
	not context.applies with input as fixture.call
}

test_no_agent_is_denied if {
	_denied(json.remove(_request({}), ["/context/agent"]), ["agent"])
	not _denied(json.remove(_request({}), ["/context/agent"]), ["surface"])
}

test_unknown_agent_is_denied if _denied(_request({"context": {"agent": {"id": "cid-x"}}}), ["agent"])

test_unproved_agent_is_denied if _denied(_request({"context": {"agent": {"verified": false}}}), ["agent"])

test_no_surface_is_denied if _denied(json.remove(_request({}), ["/context/surface"]), ["surface"])

test_unknown_surface_is_denied if _denied(_request({"context": {"surface": "kiosk"}}), ["surface"])

test_no_environment_is_denied if {
	_denied(json.remove(_request({}), ["/context/environment"]), ["environment"])
}

test_no_user_is_denied if _denied(json.remove(_request({}), ["/subject/id"]), ["user"])

test_unknown_word_is_denied if _denied(_request({}), ["moon"])

test_effect if context.effect == "deny"
