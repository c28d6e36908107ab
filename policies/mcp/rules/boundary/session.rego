# METADATA
# title: An expired session sees and does nothing
# custom:
#   reason_code: SESSION_EXPIRED
package mcp.rules.boundary.session

import data.mcp.request

effect := "deny"

applies if request.session.state == "expired"
