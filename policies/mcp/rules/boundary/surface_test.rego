package mcp.rules.boundary.surface_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.surface

_surfaces := {"ide": {}, "support_bot": {"clients": ["cid-7f"]}}

_request(stated) := fixture.with_members({"context": {"surface": stated}})

_client(members) := fixture.with_members({"context": object.union(members, {"agent": {"id": "cid-7f", "verified": true}})})

test_known_surface_passes if {
	not surface.applies with input as _request("ide") with data.surfaces as _surfaces
}

test_no_surface_passes if {
	not surface.applies with input as fixture.call with data.surfaces as _surfaces
}

test_unknown_surface_is_denied if {
	surface.applies with input as _request("kiosk") with data.surfaces as _surfaces
}

test_surface_proved_by_the_client_passes if {
	not surface.applies with input as _client({}) with data.surfaces as _surfaces
}

test_statement_that_agrees_with_the_client_passes if {
	not surface.applies with input as _client({"surface": "support_bot"}) with data.surfaces as _surfaces
}

test_statement_that_differs_from_the_client_is_denied if {
	surface.applies with input as _client({"surface": "ide"}) with data.surfaces as _surfaces
}

test_effect if surface.effect == "deny"
