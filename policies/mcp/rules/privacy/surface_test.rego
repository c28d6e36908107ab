package mcp.rules.privacy.surface_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.privacy.surface

_bot := fixture.with_members({"context": {"surface": "support_bot"}})

_surfaces := {"support_bot": {"keep": "public"}, "ide": {}}

_registered(members) := {"tool:payments/transfer": members}

_personal := _registered({"data_classes": ["personal", "public"], "fields_by_class": {"public": ["/name"]}})

test_only_the_fields_of_the_class_are_kept if {
	obligations := surface.obligations with input as _bot
		with data.surfaces as _surfaces
		with data.registry as _personal
	obligations == {{"type": "keep_fields", "paths": ["/name"], "unstructured": "drop"}}
	surface.applies with input as _bot with data.surfaces as _surfaces with data.registry as _personal
}

test_a_capability_of_the_kept_class_is_left_alone if {
	not surface.applies with input as _bot
		with data.surfaces as _surfaces
		with data.registry as _registered({"data_classes": ["public"]})
}

test_a_capability_without_data_is_left_alone if {
	not surface.applies with input as _bot
		with data.surfaces as _surfaces
		with data.registry as _registered({"data_classes": []})
}

test_a_surface_that_keeps_everything_is_left_alone if {
	not surface.applies with input as fixture.with_members({"context": {"surface": "ide"}})
		with data.surfaces as _surfaces
		with data.registry as _personal
}

test_unknown_classes_count_as_mixed_and_yield_nothing_to_keep if {
	surface.applies with input as _bot with data.surfaces as _surfaces with data.registry as {}
	obligations := surface.obligations with input as _bot with data.surfaces as _surfaces with data.registry as {}
	obligations == set()
}

test_effect if surface.effect == "oblige"
