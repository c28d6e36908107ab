# METADATA
# title: Who may approve
# description: |
#   Asked with the approver as the subject (action `approval/grant`) and the requester in
#   `input.context.approval`, when an approval is granted and again when it is used.
package mcp.approval

import data.mcp.grants
import data.mcp.request
import data.mcp.router

# METADATA
# description: |
#   The grants on this capability, and the rules whatever they apply to, that accept the caller as an
#   approver. It is asked whether what a call was held up by is among them.
eligible contains id if {
	request.method == "approval/grant"
	some pattern in request.patterns
	some id in router.eligible[pattern]
}

eligible contains id if {
	request.method == "approval/grant"
	some id in grants.eligible
}
