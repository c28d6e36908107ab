# METADATA
# title: Only methods of MCP are decided
# description: |
#   A grant names a capability and says nothing of the method, so one that this policy does not know
#   would be granted along. What each kind of capability is asked by stands here.
# custom:
#   reason_code: UNKNOWN_METHOD_DENIED
package mcp.rules.boundary.method

import data.mcp.request

effect := "deny"

applies if not _known

_known if request.method in _methods[request.type]

_methods := {
	"tool": ({"tools/call", "tools/list"} | _of_task),
	"resource": {
		"resources/list",
		"resources/read",
		"resources/subscribe",
		"resources/unsubscribe",
		"subscriptions/listen",
	},
	"resource_template": {"completion/complete", "resources/templates/list"},
	"prompt": {"completion/complete", "prompts/get", "prompts/list"},
	"completion": {"completion/complete"},
	"mcp_server": {"elicitation/create", "roots/list", "sampling/createMessage"},
	"task": _of_task,
}

# A guard asks about a task as about the tool that made it, whose name a grant can know.
_of_task := {"tasks/cancel", "tasks/get", "tasks/list", "tasks/result", "tasks/update"}
