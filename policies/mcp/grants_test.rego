package mcp.grants_test

import data.mcp.fixture_test as fixture
import data.mcp.grants

_transfer := "tool:payments/transfer"

_small := {"/amount": {"at_most": 1000}}

_manager := {"by": "manager_of_requester", "not": "requester", "via": ["task"]}

_listed(list) if count(grants.listed) > 0 with input as fixture.call with data.grants as list

_allowed(list) if count(grants.allowed) > 0 with input as fixture.call with data.grants as list

_asked(list) if count(grants.asked) > 0 with input as fixture.call with data.grants as list

_to(whom) := [{"to": whom, "on": _transfer}]

test_a_grant_lists_and_allows if {
	_listed(fixture.grants)
	_allowed(fixture.grants)
	not _asked(fixture.grants)
}

test_no_grant_allows_nothing if {
	not _listed([])
	not _allowed([])
}

test_patterns if {
	every pattern in ["tool:payments/transfer", "tool:payments/*", "*"] {
		_allowed([{"to": {"anyone": true}, "on": pattern}])
	}
	every pattern in ["tool:payments/refund", "tool:ledger/*", "prompt:payments/*", "tool:*", "tool:payments"] {
		not _listed([{"to": {"anyone": true}, "on": pattern}])
	}
}

test_addressees if {
	_allowed(_to({"group": "tellers"}))
	_allowed(_to({"user": "user:alice@example.com"}))
	_allowed(_to({"actor_type": "human"}))
	_allowed(_to({"anyone": true}))
	_allowed(_to({"group": "tellers", "actor_type": "human"}))
}

test_others_are_not_addressed if {
	not _listed(_to({"group": "auditors"}))
	not _listed(_to({"user": "user:bob@example.com"}))
	not _listed(_to({"actor_type": "automation"}))
	not _listed(_to({"agent": "planner"}))
	not _listed(_to({"surface": "ide"}))
	not _listed(_to({"anyone": false}))
	not _listed(_to({"group": "tellers", "actor_type": "automation"}))
	not _listed(_to({"grup": "tellers"}))
	not _listed(_to({}))
}

test_agent_and_surface_address if {
	from := fixture.with_members({"context": {
		"surface": "ide",
		"agent": {"id": "cid-1", "verified": true},
	}})
	count(grants.allowed) == 1 with input as from
		with data.agents as {"planner": {"clients": ["cid-1"]}}
		with data.grants as _to({"agent": "planner", "surface": "ide"})
}

test_within if {
	_allowed([{"to": {"group": "tellers"}, "on": _transfer, "within": _small}])
	not _allowed([{"to": {"group": "tellers"}, "on": _transfer, "within": {"/amount": {"at_most": 1}}}])
	_listed([{"to": {"group": "tellers"}, "on": _transfer, "within": {"/amount": {"at_most": 1}}}])
}

test_without_arguments_no_region_holds if {
	grant := {"to": {"group": "tellers"}, "on": _transfer, "within": _small}
	count(grants.allowed) == 0 with input as fixture.discovery with data.grants as [grant]
	count(grants.listed) == 1 with input as fixture.discovery with data.grants as [grant]
}

test_a_grant_that_asks_allows_nothing if {
	asking := [{"to": {"group": "tellers"}, "on": _transfer, "require_approval": _manager}]
	_asked(asking)
	not _allowed(asking)
	not _listed(asking)
}

test_unless_within_excuses if {
	ask := {"to": {"group": "tellers"}, "on": _transfer, "require_approval": _manager}
	not _asked([object.union(ask, {"unless_within": _small})])
	_asked([object.union(ask, {"unless_within": {"/amount": {"at_most": 1}}})])
	_asked([object.union(ask, {"unless_within": {"/absent": {"at_most": 1}}})])
	count(grants.askable) == 1 with input as fixture.call
		with data.grants as [object.union(ask, {"unless_within": _small})]
}

test_names if {
	names := grants.allowed with input as fixture.call
		with data.grants as [
			{"id": "tellers", "to": {"group": "tellers"}, "on": _transfer},
			{"to": {"group": "staff"}, "on": "*"},
		]
	names == {"tellers", "grant:*"}
}

test_said if {
	said := grants.said with input as fixture.call
		with data.grants as [{
			"id": "g",
			"to": {"group": "tellers"},
			"on": _transfer,
			"reason_code": "SMALL",
			"safe_message": "Small ones only.",
		}]
	said == {["g", "reason_code", "SMALL"], ["g", "safe_message", "Small ones only."]}
}

test_said_channels if {
	said := grants.said with input as fixture.call
		with data.grants as [{
			"id": "g",
			"to": {"group": "tellers"},
			"on": _transfer,
			"require_approval": {"by": {"group": "staff"}, "via": ["none"], "approvals": 2},
		}]
	said == {["g", "channels", ["none"]]}
}

_approver(id, groups, requester) := fixture.with_members({
	"action": {"name": "approval/grant"},
	"subject": {"id": id, "properties": {"groups": groups}},
	"context": {"approval": {"requester": requester}},
})

_directory := {"user:alice@example.com": {"manager": "user:bob@example.com"}}

_may_approve(request, ask) if {
	count(grants.eligible) == 1 with input as request
		with data.directory as _directory
		with data.grants as [{"to": {"group": "tellers"}, "on": _transfer, "require_approval": ask}]
}

test_the_manager_may_approve if {
	_may_approve(_approver("user:bob@example.com", [], "user:alice@example.com"), _manager)
	not _may_approve(_approver("user:carol@example.com", [], "user:alice@example.com"), _manager)
	not _may_approve(_approver("user:bob@example.com", [], "user:dan@example.com"), _manager)
}

test_a_named_user_or_group_may_approve if {
	_may_approve(_approver("user:eve@example.com", [], "user:alice@example.com"), {"by": {"user": "user:eve@example.com"}})
	_may_approve(_approver("user:eve@example.com", ["leads"], "user:alice@example.com"), {"by": {"group": "leads"}})
	not _may_approve(_approver("user:eve@example.com", ["staff"], "user:alice@example.com"), {"by": {"group": "leads"}})
}

test_an_approver_whom_the_grant_does_not_address_is_found_by_index_too if {
	ask := {"by": {"group": "leads"}}
	grant := {"to": {"group": "tellers"}, "on": _transfer, "require_approval": ask}
	names := grants.eligible with input as _approver("user:eve@example.com", ["leads"], "user:alice@example.com")
		with data.portcullis.index as {"asking": {_transfer: [grant]}}
	names == {concat(":", ["grant", _transfer])}
}

test_the_requester_may_be_barred if {
	own := _approver("user:alice@example.com", ["leads"], "user:alice@example.com")
	_may_approve(own, {"by": {"group": "leads"}})
	not _may_approve(own, {"by": {"group": "leads"}, "not": "requester"})
}

test_without_a_requester_nobody_approves if {
	nobody := json.remove(_approver("user:eve@example.com", ["leads"], ""), ["/context/approval"])
	not _may_approve(nobody, {"by": {"group": "leads"}})
}

test_a_grant_that_does_not_ask_has_no_approver if {
	count(grants.eligible) == 0 with input as _approver("user:eve@example.com", ["leads"], "user:alice@example.com")
		with data.grants as fixture.grants
}
