package mcp.rules.boundary.environment_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.environment

test_same_environment_passes if {
	not environment.applies with input as fixture.call with data.registry as fixture.registry
}

test_other_environment_is_denied if {
	other := fixture.with_members({"context": {"environment": {"deployment": "development"}}})
	environment.applies with input as other with data.registry as fixture.registry
}

test_request_without_environment_is_denied if {
	none := json.remove(fixture.call, ["/context/environment"])
	environment.applies with input as none with data.registry as fixture.registry
}

test_capability_without_environment_is_denied if {
	environment.applies with input as fixture.call with data.registry as {}
}

test_effect if environment.effect == "deny"
