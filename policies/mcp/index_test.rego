package mcp.index_test

import data.mcp.fixture_test as fixture
import data.mcp.index

_grant := {"to": {"group": "tellers"}, "on": "tool:payments/transfer"}

_other := {"to": {"group": "auditors"}, "on": "tool:payments/transfer"}

_elsewhere := {"to": {"group": "tellers"}, "on": "tool:ledger/export"}

test_scan_finds_what_speaks_of_the_capability if {
	found := index.grants with input as fixture.call with data.grants as [_grant, _other, _elsewhere]
	found == [_grant, _other]
}

test_index_finds_what_may_concern_the_caller if {
	found := index.grants with input as fixture.call
		with data.portcullis.index as {"grants": {
			"tool:payments/transfer": {"group:tellers": [_grant], "group:auditors": [_other]},
			"tool:ledger/export": {"group:tellers": [_elsewhere]},
		}}
	found == [_grant]
}

test_all_that_speak_of_the_capability_are_found_with_and_without_an_index if {
	indexed := index.grants_for_anyone with input as fixture.call
		with data.portcullis.index as {"grants": {
			"tool:payments/transfer": {"group:tellers": [_grant], "group:auditors": [_other]},
			"tool:ledger/export": {"group:tellers": [_elsewhere]},
		}}
	{grant | some grant in indexed} == {_grant, _other}
	scanned := index.grants_for_anyone with input as fixture.call with data.grants as [_grant, _other, _elsewhere]
	scanned == [_grant, _other]
}

test_index_finds_by_every_key if {
	every key in [
		"anyone", "user:user:alice@example.com", "actor_type:human", "group:staff", "agent:planner", "surface:ide",
	] {
		_found_by(key)
	}
	not _found_by("group:auditors")
	not _found_by("user:user:bob@example.com")
}

_found_by(key) if {
	from := fixture.with_members({"context": {"surface": "ide", "agent": {"id": "cid-1", "verified": true}}})
	found := index.grants with input as from
		with data.portcullis.index as {"grants": {"*": {key: [_grant]}}, "agents": {"cid-1": "planner"}}
	found == [_grant]
}

_agents := {
	"planner": {"clients": ["cid-1", "cid-2"]},
	"runner": {},
	"doubled": {"clients": ["cid-2"]},
}

test_agent_by_client_or_by_name if {
	index.agent("cid-1") == "planner" with data.agents as _agents
	index.agent("runner") == "runner" with data.agents as _agents
}

test_a_name_is_no_proof_for_an_agent_with_clients if {
	not _agent("planner")
}

test_an_unknown_or_ambiguous_client_is_no_agent if {
	not _agent("cid-0")
	not _agent("cid-2")
}

_agent(id) if index.agent(id) with data.agents as _agents

test_agent_by_index if {
	index.agent("cid-9") == "runner" with data.portcullis.index as {"agents": {"cid-9": "runner"}}
}

_surfaces := {"bot": {"clients": ["cid-1", "cid-2"]}, "ide": {"clients": ["cid-2"]}, "web": {}}

test_surface_by_client if {
	index.surface("cid-1") == "bot" with data.surfaces as _surfaces
}

test_an_unknown_or_ambiguous_client_has_no_surface if {
	not _surface("cid-0")
	not _surface("cid-2")
	not _surface("web")
}

_surface(client) if index.surface(client) with data.surfaces as _surfaces

test_surface_by_index if {
	index.surface("cid-9") == "web" with data.portcullis.index as {"surfaces": {"cid-9": "web"}}
}
