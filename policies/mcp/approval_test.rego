package mcp.approval_test

import data.mcp.approval
import data.mcp.fixture_test as fixture

_asking := {"anyone": {
	"to": {"group": "tellers"},
	"on": "tool:payments/transfer",
	"require_approval": {"by": {"group": "leads"}},
}}

_approver := fixture.with_members({
	"action": {"name": "approval/grant"},
	"subject": {"id": "user:eve@example.com", "properties": {"groups": ["leads"]}},
	"context": {"approval": {"requester": "user:alice@example.com"}},
})

test_grants_and_rules_name_their_approvers if {
	ids := approval.eligible with input as _approver
		with data.grants as [_asking.anyone]
		with data.mcp.router.eligible as {"*": {"a/b"}, "tool:ledger/export": {"c/d"}}
	ids == {"a/b", "grant:tool:payments/transfer"}
}

test_only_the_act_of_approving_is_asked if {
	call := object.union(_approver, {"action": {"name": "tools/call"}})
	ids := approval.eligible with input as call
		with data.grants as [_asking.anyone]
		with data.mcp.router.eligible as {"*": {"a/b"}}
	ids == set()
}

test_an_approver_is_found_by_the_index_though_the_grant_addresses_others if {
	ids := approval.eligible with input as _approver
		with data.portcullis.index as {"asking": {"tool:payments/transfer": [_asking.anyone]}, "grants": {}}
	ids == {"grant:tool:payments/transfer"}
}
