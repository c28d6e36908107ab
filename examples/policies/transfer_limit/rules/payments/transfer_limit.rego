# METADATA
# title: Tellers transfer up to their own limit
# custom:
#   reason_code: TRANSFER_LIMIT
#   safe_message: This transfer is not within your limit.
package mcp.rules.payments.transfer_limit

import data.mcp.compare
import data.mcp.request

effect := "allow"

applies if {
	request.name == "tool:payments/transfer"
	"tellers" in request.groups
}

default within := false

within if {
	compare.more_than(request.arguments.amount, 0)
	compare.at_most(request.arguments.amount, data.transfer_limits[request.user.id])
}
