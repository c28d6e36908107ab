package mcp.rules.registry.approved_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.registry.approved

test_approved_passes if {
	not approved.applies with input as fixture.call with data.registry as fixture.registry
}

test_not_approved_is_denied if {
	refused := object.union(fixture.registry, {"tool:payments/transfer": {"approved": false}})
	approved.applies with input as fixture.call with data.registry as refused
}

test_not_registered_is_denied if {
	approved.applies with input as fixture.call with data.registry as {}
}

test_effect if approved.effect == "deny"
