# METADATA
# title: The requester's manager approves transfers over 10 000
# custom: {reason_code: MANAGER_APPROVAL}
package mcp.rules.payments.manager_approval

import data.mcp.compare
import data.mcp.request

effect := "require_approval"

applies if request.name == "tool:payments/transfer"

default within := false

within if compare.at_most(request.arguments.amount, 10000)

eligible if {
	request.user.id == data.directory[request.approval.requester].manager
	request.user.id != request.approval.requester
}
