package mcp.list_test

import data.mcp.fixture_test as fixture
import data.mcp.list

_item(name) := {"type": "tool", "id": name, "properties": {"server": "payments"}}

_catalogue(items) := json.remove(object.union(fixture.discovery, {"resources": items}), ["/resource"])

test_positions_of_the_visible_items if {
	positions := list.visible with input as _catalogue([_item("refund"), _item("transfer"), _item("transfer")])
		with data.registry as fixture.registry
		with data.grants as fixture.grants
	positions == [1, 2]
}

test_nothing_is_visible_without_grants if {
	positions := list.visible with input as _catalogue([_item("transfer")]) with data.registry as fixture.registry
	positions == []
}

test_no_items_no_positions if {
	positions := list.visible with input as _catalogue([])
	positions == []
}

test_each_item_with_its_rules if {
	items := list.items with input as _catalogue([_item("refund"), _item("transfer")])
		with data.registry as fixture.registry
		with data.grants as fixture.grants
		with data.portcullis.rules as {"registry/approved": {"reason_code": "NOT_APPROVED"}}
	[[visible, code] | some [visible, code, _] in items] == [[false, "NOT_APPROVED"], [true, "ALLOWED"]]
	"registry/approved" in items[0][2]
	items[1][2] == {"grant:tool:payments/transfer"}
}
