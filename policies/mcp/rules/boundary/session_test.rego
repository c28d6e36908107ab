package mcp.rules.boundary.session_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.session

test_active_session_passes if {
	not session.applies with input as fixture.with_members({"context": {"session": {"state": "active"}}})
}

test_no_session_passes if {
	not session.applies with input as fixture.call
}

test_expired_session_is_denied if {
	session.applies with input as fixture.with_members({"context": {"session": {"state": "expired"}}})
}

test_effect if session.effect == "deny"
