package mcp.rules.registry.definition_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.registry.definition

_pinned := object.union(fixture.registry, {"tool:payments/transfer": {"digest": "sha256:aa"}})

_presenting(digest) := fixture.with_members({"resource": {"properties": {"definition_digest": digest}}})

test_without_a_pin_any_definition_passes if {
	not definition.applies with input as _presenting("sha256:bb") with data.registry as fixture.registry
}

test_pinned_definition_passes if {
	not definition.applies with input as _presenting("sha256:aa") with data.registry as _pinned
}

test_changed_definition_is_denied if {
	definition.applies with input as _presenting("sha256:bb") with data.registry as _pinned
}

test_unstated_definition_is_denied if {
	definition.applies with input as fixture.call with data.registry as _pinned
}

test_effect if definition.effect == "deny"
