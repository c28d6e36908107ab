package mcp.rules.boundary.method_test

import data.mcp.fixture_test as fixture
import data.mcp.rules.boundary.method

test_a_method_of_the_kind_passes if {
	every name in ["tools/call", "tools/list"] {
		not method.applies with input as fixture.with_members({"action": {"name": name}})
	}
}

test_an_operation_on_a_task_is_one_on_its_tool if {
	every name in ["tasks/cancel", "tasks/get", "tasks/list", "tasks/result", "tasks/update"] {
		not method.applies with input as fixture.with_members({"action": {"name": name}})
		not method.applies with input as fixture.with_members({"resource": {"type": "task"}, "action": {"name": name}})
		method.applies with input as fixture.with_members({"resource": {"type": "prompt"}, "action": {"name": name}})
	}
}

test_another_method_is_denied if {
	every name in ["tools/exfiltrate", "resources/read", "tools", "", null] {
		method.applies with input as fixture.with_members({"action": {"name": name}})
	}
}

test_the_method_of_another_kind_is_denied if {
	method.applies with input as fixture.with_members({"resource": {"type": "prompt"}})
	not method.applies with input as fixture.with_members({"resource": {"type": "prompt"}, "action": {"name": "prompts/get"}})
}

test_what_a_server_asks_its_client_passes if {
	every name in ["elicitation/create", "roots/list", "sampling/createMessage"] {
		not method.applies with input as fixture.with_members(_asked("mcp_server", name))
		method.applies with input as fixture.with_members(_asked("tool", name))
	}
	method.applies with input as fixture.with_members(_asked("mcp_server", "tools/call"))
}

_asked(type, name) := {"resource": {"type": type, "id": name}, "action": {"name": name}}

test_no_method_is_denied if {
	method.applies with input as json.remove(fixture.call, ["/action"])
}

test_effect if method.effect == "deny"
