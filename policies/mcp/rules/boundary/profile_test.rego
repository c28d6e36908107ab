package mcp.rules.boundary.profile_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.profile

test_mcp_profile_passes if {
	not profile.applies with input as fixture.call
}

test_other_profile_is_denied if {
	profile.applies with input as fixture.with_members({"context": {"profile": "mcp/2"}})
}

test_plain_request_is_denied if {
	profile.applies with input as json.remove(fixture.call, ["/context"])
}

test_effect if profile.effect == "deny"
